"""`python -m training <stage>`: the commands that dvc.yaml runs, and those for moving the alias by hand."""

import argparse
import os
import sys
from pathlib import Path

from app.artifact import ArtifactError
from training.errors import PipelineError
from training.params import load_params
from training.project import Project


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
    commands.add_parser("promote", help="give a version the alias production").add_argument("version")
    commands.add_parser("rollback", help="make the previous version live again")
    return parser


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
        from training.register import register
        from training.summary import registration_table

        print(registration_table(register(project, params, os.environ.get("DVC_EXP_NAME"))))
    else:
        _move_alias(options, project)


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
