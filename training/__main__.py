"""`python -m training <command>`: the stages that dvc.yaml runs, and what people run by hand.

A command is a function below and a line or two in `_parser`. Each imports only what it needs: MLflow and the model
libraries take seconds. This file decides nothing that a stage makes, so no stage depends on it.
"""

import signal

# Ctrl-C while the libraries are imported ends the command without a traceback; `main` says a sentence.
if __name__ == "__main__" and (on_interrupt := signal.getsignal(signal.SIGINT)) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import math
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.contract.artifact import ArtifactError
from training.errors import ParamsError, PipelineError
from training.params.whole import Params, load_params
from training.project import Project

Number = TypeVar("Number", int, float)
Command = Callable[[Project, Params, Namespace], None]


def main(arguments: list[str] | None = None) -> None:
    """Run one command; an error that a person can correct ends it with one sentence and exit code 1."""
    options = _parser().parse_args(arguments)
    project = Project(Path.cwd())
    try:
        options.run(project, load_params(project.params), options)
    except PipelineError as error:
        sys.exit(f"{options.command}: {error}")
    except ArtifactError as error:
        sys.exit(f"{options.command}: {error}; run: dvc repro")
    except OSError as error:
        sys.exit(f"{options.command}: {error}; check that it is there, its permissions and the free space")
    except KeyboardInterrupt:
        sys.exit(f"{options.command}: interrupted; finished work is kept, run the same command again to go on")
    except MemoryError as error:
        sys.exit(f"{options.command}: not enough memory ({error}); lower embedding_size, or choose a smaller data set")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description="Train, compare and promote models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def add(run: Command, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(run.__name__.strip("_"), help=text)
        command.set_defaults(run=run)
        return command

    add(_check, "check every value of params.yaml")
    add(_code, "list the files that each stage runs")
    add(_fetch, "get the ratings into data/raw")
    add(_events, "copy what users have said to the service into data/events")
    add(_prepare, "check and split them into data/prepared")
    for run, text in ((_train, "fit one candidate"), (_evaluate, "measure one candidate")):
        add(run, text).add_argument("candidate", help="a name from candidates in params.yaml")
    add(_refit, "fit the best candidate on everything into models/served")
    add(_register, "log to MLflow, register models/served, let the gate decide")
    tune = add(_tune, "search for better parameters of a family on validation")
    tune.add_argument("family", help="a key of models in params.yaml; recipe: the candidates and their members in turn")
    tune.add_argument("--trials", type=_positive(int), default=math.inf, help="how many there should be in all")
    tune.add_argument("--timeout", type=_positive(float), help="seconds after which no further trial begins")
    tune.add_argument("--apply", action="store_true", help="write the best into params.yaml")
    recipe = add(_recipe, "write a recipe for a kind of data into params.yaml")
    recipe.add_argument("name", help="a file of recipes/; large: dense or sparse by the data; auto: propose one")
    add(_report, "write reports/comparison again, against what is live now")
    add(_promote, "give a version the alias production").add_argument("version")
    add(_rollback, "make the previous version live again")
    retrain = add(_retrain, "run dvc repro on a schedule, until SIGTERM")
    cron = os.environ.get("RETRAIN_CRON")
    retrain.add_argument(
        "--cron", default=cron, required=not cron, help="such as '0 4 * * *', in UTC; else RETRAIN_CRON"
    )
    retrain.add_argument("--host", default="127.0.0.1", help="address of the metrics")
    retrain.add_argument("--port", type=int, default=9102, help="port of the metrics")
    retrain.add_argument("--lock", type=Path, metavar="FILE", help="a file to lock during a run; others wait by flock")
    return parser


def _positive(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    def parse(text: str) -> Number:
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"must be a number above 0, not {text}")
        return value

    parse.__name__ = "number"
    return parse


def _check(_: Project, params: Params, __: Namespace) -> None:
    from training.check import check_families

    check_families(params, params.models)


def _code(project: Project, params: Params, _: Namespace) -> None:
    from training.check import check_families
    from training.code import write_code

    check_families(params, params.candidates)  # before anything is trained
    write_code(project, params)


def _fetch(project: Project, params: Params, _: Namespace) -> None:
    from training.fetch import fetch

    fetch(params.fetch, params.seed, project.raw)


def _events(project: Project, params: Params, _: Namespace) -> None:
    from training.events import events

    print(f"events: {events(params.fetch, project.events, project.root)}")


def _prepare(project: Project, params: Params, _: Namespace) -> None:
    from training.prepare import prepare

    paths = (project.raw, project.prepared, project.stats, project.events)
    print(f"prepare: {prepare(params.prepare, params.seed, *paths)}")


def _train(project: Project, params: Params, options: Namespace) -> None:
    from training.train import train

    train(project, params, options.candidate)


def _evaluate(project: Project, params: Params, options: Namespace) -> None:
    from training.evaluate import evaluate

    evaluate(project, params, options.candidate)


def _refit(project: Project, params: Params, _: Namespace) -> None:
    from training.refit import refit

    print(f"refit: {refit(project, params)} on all interactions, in {project.served.relative_to(project.root)}")


def _register(project: Project, params: Params, _: Namespace) -> None:
    from training.promotion.summary import registration_table
    from training.register import register

    print(registration_table(register(project, params, os.environ.get("DVC_EXP_NAME"))))


def _tune(project: Project, params: Params, options: Namespace) -> None:
    from training.tuning.params_file import write_params
    from training.tuning.recipe import RECIPE, families_of_recipe
    from training.tuning.summary import search_table
    from training.tuning.tune import tune

    if math.isinf(options.trials) and options.timeout is None:
        raise ParamsError("give --trials, --timeout or both, so that it ends")
    families = families_of_recipe(params) if options.family == RECIPE else [options.family]
    timeout = options.timeout and options.timeout / len(families)
    for family in families:
        search = tune(project, params, family, options.trials, timeout, say=print)
        better = search.better_params() if options.apply else None
        if better is not None:
            write_params(project.params, {"models": {family: better}})
        print(search_table(search, applied=better is not None))


def _recipe(project: Project, _: Params, options: Namespace) -> None:
    from training.tuning.recipe import apply_recipe

    print(apply_recipe(project, options.name))


def _report(project: Project, params: Params, _: Namespace) -> None:
    from training.register import compare

    compare(project, params)
    print(f"report: {project.comparison.relative_to(project.root)}/report.html")


def _promote(project: Project, params: Params, options: Namespace) -> None:
    from training.tracking.aliases import promote
    from training.tracking.connection import connect

    client, name = connect(project.root, params.registration.experiment), params.registration.name
    _say_live(name, options.version, promote(client, name, options.version))


def _rollback(project: Project, params: Params, _: Namespace) -> None:
    from training.tracking.aliases import rollback
    from training.tracking.connection import connect

    client, name = connect(project.root, params.registration.experiment), params.registration.name
    former, version = rollback(client, name)
    _say_live(name, version, former)


def _retrain(project: Project, _: Params, options: Namespace) -> None:
    from training.retrain.schedule import parse_schedule
    from training.retrain.service import serve

    serve(project.root, parse_schedule(options.cron), options.host, options.port, options.lock)


def _say_live(name: str, version: str, former: str | None) -> None:
    from training.tracking.aliases import PRODUCTION

    before = "as before" if version == former else f"{former or 'none'} was before"
    print(f"{name}: version {version} is {PRODUCTION}, {before}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, on_interrupt)
    main()
