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
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from app.contract.artifact import ArtifactError
from app.contract.version import VERSION
from training.engines import engine
from training.errors import ParamsError, PipelineError
from training.params.fetch import Source
from training.params.whole import Params, load_params
from training.project import Project

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from training.tracking.connection import Client
    from training.trials.verdict import Verdict

PARAMS = ""  # --apply without a file
SERVICE = "http://127.0.0.1:8000"
CATALOGUE_KEY = "CATALOGUE_KEY"  # of the environment: a key of an editor

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
    parser.add_argument("--version", action="version", version=f"movie-recommender {VERSION}")
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
    tune.add_argument(
        "family", help="a key of models in params.yaml; recipe: the candidates, and for a blend its members"
    )
    tune.add_argument("--attempts", type=_positive(int), default=math.inf, help="how many there should be in all")
    tune.add_argument("--timeout", type=_positive(float), help="seconds after which no further attempt begins")
    tune.add_argument("--apply", action="store_true", help="write the best into params.yaml")
    catalogue = add(_catalogue, "propose columns of items and attributes of people, by what their files hold")
    catalogue.add_argument(
        "--apply", nargs="?", const=PARAMS, metavar="FILE", help="write them into params.yaml; send a CSV of changes"
    )
    catalogue.add_argument("--url", default=SERVICE, help="of the service that the changes go to")
    catalogue.add_argument("--export", type=Path, metavar="FILE", help="write the items with all changes as a CSV")
    placements = add(_placements, "keep the service's placements in a file")
    way = placements.add_mutually_exclusive_group(required=True)
    way.add_argument("--apply", type=Path, metavar="FILE", help="make them what a YAML file says")
    way.add_argument("--export", type=Path, metavar="FILE", help="write them as a YAML file")
    placements.add_argument("--url", default=SERVICE, help="of the service")
    source = add(_source, "switch to other ratings, and set aside what was said about other films")
    source.add_argument("source", choices=get_args(Source), help="of fetch.source; csv, parquet, sql: your own data")
    recipe = add(_recipe, "write a recipe for a kind of data into params.yaml")
    recipe.add_argument("name", help="a file of recipes/; large: dense or sparse by the data; auto: propose one")
    recipe.add_argument("--size", type=int, metavar="N", help="numbers per item, instead of the recipe's: 512")
    export = add(_export, "write every user's list into parquet files")
    export.add_argument("--k", type=_positive(int), help="length of a list (50, or as the placement has it)")
    export.add_argument("--out", type=Path, required=True, help="the folder; a run that was ended goes on there")
    export.add_argument("--alias", help="of the version, such as production; else models/served")
    export.add_argument("--filters", default="", help="as in the API: 'genre=Drama&year_from=1990'")
    export.add_argument("--placement", metavar="NAME", help="whose rules lists follow, as editors have it now")
    add(_report, "write reports/comparison again, against what is live now")
    add(_promote, "give a version the alias production").add_argument("version")
    add(_rollback, "make the previous version live again")
    trial = add(_trial, "look at the running trial: which version do people like better?")
    trial.add_argument("--decide", action="store_true", help="promote or drop the challenger if that is due")
    trial.add_argument("--cron", help="look on a schedule in UTC, such as '0 * * * *', until SIGTERM")
    trial.add_argument("--host", default="127.0.0.1", help="with --cron: address of the metrics")
    trial.add_argument("--port", type=int, default=9103, help="with --cron: port of the metrics")
    pleased = add(_pleased, "say what people liked of what they were shown, with intervals")
    replayed = add(_replay, "say what a version would have brought at explored ranks, beside the one with an alias")
    replayed.add_argument("--version", required=True, help="its number")
    replayed.add_argument("--alias", default="production", help="of the version to compare with (production)")
    for command in (pleased, replayed):
        command.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
        command.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
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
    engine(params.engine).check()


def _code(project: Project, params: Params, _: Namespace) -> None:
    from training.check import check_families
    from training.code import write_code
    from training.former import remove_former

    check_families(params, params.candidates)  # before anything is trained
    write_code(project, params, params.engine, fetch_again=params.fetch.source == "sql")
    remove_former(project, params.candidates)


def _fetch(project: Project, params: Params, _: Namespace) -> None:
    from training.fetch import fetch

    fetch(params.fetch, params.seed, project.raw, params.catalogue)


def _events(project: Project, params: Params, _: Namespace) -> None:
    print(f"events: {engine(params.engine).events(project, params)}")


def _prepare(project: Project, params: Params, _: Namespace) -> None:
    print(f"prepare: {engine(params.engine).prepare(project, params)}")


def _train(project: Project, params: Params, options: Namespace) -> None:
    engine(params.engine).train(project, params, options.candidate)


def _evaluate(project: Project, params: Params, options: Namespace) -> None:
    engine(params.engine).evaluate(project, params, options.candidate)


def _refit(project: Project, params: Params, _: Namespace) -> None:
    winner = engine(params.engine).refit(project, params)
    print(f"refit: {winner} on all interactions, in {project.served.relative_to(project.root)}")


def _register(project: Project, params: Params, _: Namespace) -> None:
    from training.promotion.summary import registration_table
    from training.register import register

    print(registration_table(register(project, params, os.environ.get("DVC_EXP_NAME"))))


def _tune(project: Project, params: Params, options: Namespace) -> None:
    from training.tuning.summary import search_table
    from training.tuning.targets import RECIPE, targets_of_recipe, with_better, write_better
    from training.tuning.tune import tune

    if math.isinf(options.attempts) and options.timeout is None:
        raise ParamsError("give --attempts, --timeout or both, so that it ends")
    targets = targets_of_recipe(params) if options.family == RECIPE else {options.family: options.family}
    timeout = options.timeout and options.timeout / len(targets)
    for family, candidate in targets.items():
        search = tune(project, params, family, candidate, options.attempts, timeout, say=print)
        if better := search.better_params():
            params = with_better(params, family, better)  # the next one is tuned beside it
            if options.apply:
                write_better(project.params, family, candidate, better)
        print(search_table(search, applied=options.apply))


def _catalogue(project: Project, params: Params, options: Namespace) -> None:
    if options.apply not in (None, PARAMS):
        from training.editing import apply_changes

        print(f"catalogue: {apply_changes(Path(options.apply), options.url, os.environ.get(CATALOGUE_KEY, ''))}")
    elif options.export is not None:
        from training.editing import export_items

        print(f"catalogue: {export_items(project, params, options.export)}")
    else:
        from training.propose import propose

        print(propose(project, params, apply=options.apply == PARAMS))


def _placements(_: Project, __: Params, options: Namespace) -> None:
    from training.placing import apply_placements, export_placements

    act, file = (export_placements, options.export) if options.apply is None else (apply_placements, options.apply)
    print(f"placements: {act(file, options.url, os.environ.get(CATALOGUE_KEY, ''))}")


def _source(project: Project, params: Params, options: Namespace) -> None:
    from training.source import switch

    print(switch(project, params, params.fetch.model_copy(update={"source": options.source})))


def _recipe(project: Project, _: Params, options: Namespace) -> None:
    from training.tuning.recipe import apply_recipe

    print(apply_recipe(project, options.name, options.size))


def _export(project: Project, params: Params, options: Namespace) -> None:
    from training.export import ExportOptions, export
    from training.lists.filters import parse_filters

    wanted = ExportOptions(options.k, options.alias, parse_filters(options.filters), options.placement)
    made = export(project, params, wanted, options.out, engine(params.engine).write_buckets(project, params))
    lists = f"{made['rows']:,} rows for {made['users']:,} users of version {made['model_version']}"
    print(f"export: {lists} in {len(made['files'])} files in {options.out}")


def _report(project: Project, params: Params, _: Namespace) -> None:
    from training.register import compare

    compare(project, params)
    print(f"report: {project.comparison.relative_to(project.root)}/report.html")


def _promote(project: Project, params: Params, options: Namespace) -> None:
    from training.tracking.aliases import promote
    from training.tracking.connection import connect

    client, name = connect(project.root, params.registration.experiment), params.registration.name
    _say_live(name, options.version, promote(client, name, options.version))
    _say_ended_trials(client, name)


def _rollback(project: Project, params: Params, _: Namespace) -> None:
    from training.tracking.aliases import follow, rollback
    from training.tracking.connection import connect

    client, name = connect(project.root, params.registration.experiment), params.registration.name
    if moved := follow(client, name):
        print(f"{name}: {moved}")
    former, version = rollback(client, name)
    _say_live(name, version, former)
    _say_ended_trials(client, name)


def _trial(project: Project, params: Params, options: Namespace) -> None:
    from training.trials.running import judge_running

    def once() -> "tuple[Verdict | None, list[str]]":
        return judge_running(project, params, decide=options.decide)

    if options.cron is None:
        print("\n".join(f"trial: {sentence}" for sentence in once()[1]))
        return
    from training.pleased.looking import yesterday
    from training.pleased.metrics import PleasedMetrics
    from training.retrain.schedule import parse_schedule
    from training.trials.service import serve

    def also(collectors: "CollectorRegistry") -> Callable[[], None]:
        metrics = PleasedMetrics(collectors)
        return lambda: metrics.show(yesterday(project, params))

    serve(once, also, parse_schedule(options.cron, "--cron"), options.host, options.port)


def _pleased(project: Project, params: Params, options: Namespace) -> None:
    from training.pleased.looking import please

    print(please(project, params, options.first, options.last))


def _replay(project: Project, params: Params, options: Namespace) -> None:
    from training.pleased.replaying import replay_versions

    print(replay_versions(project, params, options.version, options.alias, (options.first, options.last)))


def _retrain(project: Project, _: Params, options: Namespace) -> None:
    from training.retrain.schedule import parse_schedule
    from training.retrain.service import serve

    serve(project.root, parse_schedule(options.cron), options.host, options.port, options.lock)


def _say_live(name: str, version: str, former: str | None) -> None:
    from app.contract.alias import PRODUCTION

    before = "as before" if version == former else f"{former or 'none'} was before"
    print(f"{name}: version {version} is {PRODUCTION}, {before}")


def _say_ended_trials(client: "Client", name: str) -> None:
    from training.tracking.on_trial import end_overtaken

    for sentence in end_overtaken(client, name):
        print(f"{name}: {sentence}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, on_interrupt)
    main()
