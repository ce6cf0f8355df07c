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
from training.errors import PipelineError
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
    add(_prepare, "check and split them into data/prepared")
    for run, text in ((_train, "fit one candidate"), (_evaluate, "measure one candidate")):
        add(run, text).add_argument("candidate", help="a name from candidates in params.yaml")
    add(_refit, "fit the best candidate on everything into models/served")
    add(_register, "log to MLflow, register models/served, let the gate decide")
    tune = add(_tune, "search for better parameters of a family on validation")
    tune.add_argument("family", help="a key of models in params.yaml")
    tune.add_argument("--trials", type=_positive(int), required=True, help="how many there should be in all")
    tune.add_argument("--timeout", type=_positive(float), help="seconds after which no further trial begins")
    tune.add_argument("--apply", action="store_true", help="write the best into params.yaml")
    add(_report, "write reports/comparison again, against what is live now")
    add(_promote, "give a version the alias production").add_argument("version")
    add(_rollback, "make the previous version live again")
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


def _prepare(project: Project, params: Params, _: Namespace) -> None:
    from training.prepare import prepare

    prepare(params.prepare, params.seed, project.raw, project.prepared, project.stats)


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
    from training.tuning.summary import search_table
    from training.tuning.tune import tune

    search = tune(project, params, options.family, options.trials, options.timeout, say=print)
    better = search.better_params() if options.apply else None
    if better is not None:
        write_params(project.params, options.family, better)
    print(search_table(search, applied=better is not None))


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


def _say_live(name: str, version: str, former: str | None) -> None:
    from training.tracking.aliases import PRODUCTION

    before = "as before" if version == former else f"{former or 'none'} was before"
    print(f"{name}: version {version} is {PRODUCTION}, {before}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, on_interrupt)
    main()
