"""The stages that dvc.yaml runs, each with the engine that params.yaml names."""

import os
from argparse import Namespace

from training.engines import engine
from training.params.whole import Params
from training.project import Project


def code(project: Project, params: Params, _: Namespace) -> None:
    """List the files that each stage runs."""
    from training.check import check_families
    from training.code import write_code
    from training.former import remove_former

    check_families(params, params.candidates)  # before anything is trained
    write_code(project, params, params.engine, fetch_again=params.fetch.source == "sql")
    remove_former(project, params.candidates)


def fetch(project: Project, params: Params, _: Namespace) -> None:
    """Get the ratings into data/raw."""
    from training.fetch import fetch

    fetch(params.fetch, params.seed, project.raw, params.catalogue)


def events(project: Project, params: Params, _: Namespace) -> None:
    """Copy what users have said to the service into data/events."""
    print(f"events: {engine(params.engine).events(project, params)}")


def prepare(project: Project, params: Params, _: Namespace) -> None:
    """Check and split ratings and events into data/prepared."""
    print(f"prepare: {engine(params.engine).prepare(project, params)}")


def train(project: Project, params: Params, options: Namespace) -> None:
    """Fit one candidate."""
    engine(params.engine).train(project, params, options.candidate)


def evaluate(project: Project, params: Params, options: Namespace) -> None:
    """Measure one candidate."""
    engine(params.engine).evaluate(project, params, options.candidate)


def refit(project: Project, params: Params, _: Namespace) -> None:
    """Fit the best candidate on everything into models/served."""
    winner = engine(params.engine).refit(project, params)
    print(f"refit: {winner} on all interactions, in {project.served.relative_to(project.root)}")


def register(project: Project, params: Params, _: Namespace) -> None:
    """Log to MLflow, register models/served, let the gate decide."""
    from training.promotion.summary import registration_table
    from training.register import register

    print(registration_table(register(project, params, os.environ.get("DVC_EXP_NAME"))))
