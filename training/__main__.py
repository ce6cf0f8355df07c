"""`python -m training <command>`: the stages that dvc.yaml runs, and what people run by hand.

A command is a function of `commands` and a line or two in `_parser`. Neither file decides what a stage makes, so no
stage depends on them.
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
from typing import TypeVar, get_args

from app.contract.artifact_format import ArtifactError
from app.contract.version import VERSION
from training.commands import by_dvc, by_hand
from training.errors import PipelineError
from training.params.fetch import Source
from training.params.whole import Params, load_params
from training.project import Project

SERVICE = "http://127.0.0.1:8000"

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
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")

    def add(run: Command) -> argparse.ArgumentParser:
        text = str(run.__doc__)
        command = subparsers.add_parser(run.__name__, help=f"{text[0].lower()}{text[1:]}".rstrip("."))
        command.set_defaults(run=run)
        return command

    add(by_hand.check)
    add(by_dvc.code)
    add(by_dvc.fetch)
    add(by_dvc.events)
    add(by_dvc.prepare)
    for run in (by_dvc.train, by_dvc.evaluate):
        add(run).add_argument("candidate", help="a name from candidates in params.yaml")
    add(by_dvc.refit)
    add(by_dvc.register)
    tune = add(by_hand.tune)
    tune.add_argument(
        "family", help="a key of models in params.yaml; recipe: the candidates, and for a blend its members"
    )
    tune.add_argument("--attempts", type=_positive(int), default=math.inf, help="how many there should be in all")
    tune.add_argument("--timeout", type=_positive(float), help="seconds after which no further attempt begins")
    tune.add_argument("--apply", action="store_true", help="write the best into params.yaml")
    catalogue = add(by_hand.catalogue)
    catalogue.add_argument(
        "--apply", nargs="?", const=by_hand.PARAMS, metavar="FILE", help="write them into params.yaml; send a CSV"
    )
    catalogue.add_argument("--url", default=SERVICE, help="of the service that the changes go to")
    catalogue.add_argument("--export", type=Path, metavar="FILE", help="write the items with all changes as a CSV")
    placements = add(by_hand.placements)
    way = placements.add_mutually_exclusive_group(required=True)
    way.add_argument("--apply", type=Path, metavar="FILE", help="make them what a YAML file says")
    way.add_argument("--export", type=Path, metavar="FILE", help="write them as a YAML file")
    way.add_argument("--evaluate", type=Path, metavar="FILE", help="say what NDCG on the test they would have")
    placements.add_argument("--url", default=SERVICE, help="of the service")
    source = add(by_hand.source)
    source.add_argument("source", choices=get_args(Source), help="of fetch.source; csv, parquet, sql: your own data")
    recipe = add(by_hand.recipe)
    recipe.add_argument("name", help="a file of recipes/; large: dense or sparse by the data; auto: propose one")
    recipe.add_argument("--size", type=int, metavar="N", help="numbers per item, instead of the recipe's: 512")
    export = add(by_hand.export)
    export.add_argument("--k", type=_positive(int), help="length of a list (50, or as the placement has it)")
    export.add_argument("--out", type=Path, required=True, help="the folder; a run that was ended goes on there")
    export.add_argument("--alias", help="of the version, such as production; else models/served")
    export.add_argument("--filters", default="", help="as in the API: 'genre=Drama&year_from=1990'")
    export.add_argument("--placement", metavar="NAME", help="whose rules lists follow, as editors have it now")
    add(by_hand.report)
    add(by_hand.promote).add_argument("version")
    add(by_hand.rollback)
    trial = add(by_hand.trial)
    trial.add_argument("--decide", action="store_true", help="promote or drop the challenger if that is due")
    trial.add_argument(
        "--publish", action="store_true", help="show last week's figures on the service's page, once a day"
    )
    trial.add_argument("--cron", help="look on a schedule in UTC, such as '0 * * * *', until SIGTERM")
    trial.add_argument("--host", default="127.0.0.1", help="with --cron: address of the metrics")
    trial.add_argument("--port", type=int, default=9103, help="with --cron: port of the metrics")
    pleased = add(by_hand.pleased)
    pleased.add_argument("--publish", action="store_true", help="show the figures on the service's page, too")
    replayed = add(by_hand.replay)
    replayed.add_argument("--version", required=True, help="its number")
    replayed.add_argument("--alias", default="production", help="of the version to compare with (production)")
    for command in (pleased, replayed):
        command.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
        command.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
    retrain = add(by_hand.retrain)
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


if __name__ == "__main__":
    signal.signal(signal.SIGINT, on_interrupt)
    main()
