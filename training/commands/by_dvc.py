"""The stages that dvc.yaml runs, each with the engine that params.yaml names."""

import os
from argparse import Namespace

from training.params.whole import Params
from training.project import Project

SPARK = "spark"


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
    if params.engine == SPARK:
        from training.spark.events import events as events_on_spark

        made = events_on_spark(project, params.fetch, params.spark)
    else:
        from training.events import events

        made = events(params.fetch, project.events, project.root)
    print(f"events: {made}")


def prepare(project: Project, params: Params, _: Namespace) -> None:
    """Check and split ratings and events into data/prepared."""
    if params.engine == SPARK:
        from training.spark.prepare import prepare as prepare_on_spark

        made = prepare_on_spark(project, params, params.spark)
    else:
        from training.prepare import prepare

        made = prepare(params, project.raw, project.prepared, project.stats, project.events)
    print(f"prepare: {made}")


def train(project: Project, params: Params, options: Namespace) -> None:
    """Fit one candidate."""
    if params.engine == SPARK:
        from training.spark.train import train as train_on_spark

        train_on_spark(project, params, params.spark, options.candidate)
    else:
        from training.train import train

        train(project, params, options.candidate, params.shared_members)


def evaluate(project: Project, params: Params, options: Namespace) -> None:
    """Measure one candidate."""
    if params.engine == SPARK:
        from training.spark.evaluate import evaluate as evaluate_on_spark

        evaluate_on_spark(project, params, params.spark, options.candidate)
    else:
        from training.evaluate import evaluate

        evaluate(project, params, options.candidate)


def refit(project: Project, params: Params, _: Namespace) -> None:
    """Fit the best candidate on everything into models/served."""
    if params.engine == SPARK:
        from training.spark.refit import refit as refit_on_spark

        winner = refit_on_spark(project, params, params.spark)
    else:
        from training.refit import refit

        winner = refit(project, params)
    print(f"refit: {winner} on all interactions, in {project.served.relative_to(project.root)}")


def register(project: Project, params: Params, _: Namespace) -> None:
    """Log to MLflow, register models/served, let the gate decide."""
    from training.promotion.summary import registration_table
    from training.register import register

    print(registration_table(register(project, params, os.environ.get("DVC_EXP_NAME"))))
