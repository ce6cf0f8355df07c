"""`python -m training <stage>`: the commands that dvc.yaml runs, and those for moving the alias by hand."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from app.contract.artifact import ArtifactError
from training.errors import PipelineError
from training.params import Params, load_params
from training.project import Project

Number = TypeVar("Number", int, float)


def main(arguments: list[str] | None = None) -> None:
    """Run one command; an error that a person can mend becomes one sentence and exit code 1."""
    options = _parser().parse_args(arguments)
    try:
        _run(options, Project(Path.cwd()))
    except PipelineError as error:
        sys.exit(f"{options.command}: {error}")
    except ArtifactError as error:
        sys.exit(f"{options.command}: {error}; run: dvc repro")
    except OSError as error:
        sys.exit(f"{options.command}: {error}; check that it is there, its permissions and the free space")
    except KeyboardInterrupt:
        sys.exit(f"{options.command}: interrupted; what was finished before is kept, run it again to go on")
    except MemoryError as error:
        sys.exit(f"{options.command}: not enough memory ({error}); lower embedding_size, or choose a smaller data set")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("fetch", help="get the ratings into data/raw")
    commands.add_parser("prepare", help="check and split them into data/prepared")
    for name, text in (("train", "fit one candidate"), ("evaluate", "measure one candidate")):
        commands.add_parser(name, help=text).add_argument("candidate", help="a name from candidates in params.yaml")
    commands.add_parser("refit", help="fit the best candidate on everything into models/served")
    commands.add_parser("register", help="log to MLflow, register models/served, let the gate decide")
    _add_tune(commands.add_parser("tune", help="search for better parameters of a family on validation"))
    commands.add_parser("report", help="write reports/comparison again, against what is live now")
    commands.add_parser("promote", help="give a version the alias production").add_argument("version")
    commands.add_parser("rollback", help="make the previous version live again")
    return parser


def _add_tune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("family", help="a key of models in params.yaml")
    parser.add_argument("--trials", type=_positive(int), required=True, help="how many there should be in all")
    parser.add_argument("--timeout", type=_positive(float), help="seconds after which no further trial begins")
    parser.add_argument("--apply", action="store_true", help="write the best into params.yaml")


def _positive(kind: Callable[[str], Number]) -> Callable[[str], Number]:
    def parse(text: str) -> Number:
        value = kind(text)
        if value <= 0:
            raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
        return value

    parse.__name__ = "number"
    return parse


def _run(options: argparse.Namespace, project: Project) -> None:
    # Each command imports only what it needs: MLflow and the model libraries take seconds.
    params = load_params(project.params)
    if options.command == "fetch":
        from training.fetch import fetch

        fetch(params.fetch, params.seed, project.raw)
    elif options.command == "prepare":
        from training.prepare import prepare

        prepare(params.prepare, params.seed, project.raw, project.prepared, project.stats)
    elif options.command == "train":
        from training.train import train

        train(project, params, options.candidate)
    elif options.command == "evaluate":
        from training.evaluate import evaluate

        evaluate(project, params, options.candidate)
    elif options.command == "refit":
        from training.refit import refit

        print(f"refit: {refit(project, params)} on all interactions, in {project.served.relative_to(project.root)}")
    elif options.command == "register":
        from training.promotion.summary import registration_table
        from training.register import register

        print(registration_table(register(project, params, os.environ.get("DVC_EXP_NAME"))))
    elif options.command == "tune":
        _tune(options, project, params)
    elif options.command == "report":
        from training.register import compare

        compare(project, params)
        print(f"report: {project.comparison.relative_to(project.root)}/report.html")
    else:
        _move_alias(options, project)


def _tune(options: argparse.Namespace, project: Project, params: Params) -> None:
    from training.tuning.params_file import write_params
    from training.tuning.summary import search_table
    from training.tuning.tune import tune

    search = tune(project, params, options.family, options.trials, options.timeout, say=print)
    apply = options.apply and search.found is not None
    if search.found is not None and apply:
        write_params(project.params, options.family, search.found)
    print(search_table(search, apply))


def _move_alias(options: argparse.Namespace, project: Project) -> None:
    from training.tracking import aliases
    from training.tracking.connection import connect

    registration = load_params(project.params).registration
    client = connect(project.root, registration.experiment)
    if options.command == "promote":
        version, former = options.version, aliases.promote(client, registration.name, options.version)
    else:
        former, version = aliases.rollback(client, registration.name)
    print(f"{registration.name}: version {version} is {aliases.PRODUCTION}, {former or 'none'} was before")


if __name__ == "__main__":
    main()
