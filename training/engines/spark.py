"""Runs the stages on Apache Spark."""

from functools import partial
from typing import TYPE_CHECKING

from training.params.whole import Params
from training.project import Project

if TYPE_CHECKING:
    from training.export import WriteBuckets


def check() -> None:
    """Raise TrainingError where pyspark or Java is missing."""
    from training.models.spark_als import check_installed

    check_installed()


def events(project: Project, params: Params) -> str:
    """Run the stage `events`; return what it made."""
    from training.spark.events import events

    return events(project, params.fetch, params.spark)


def prepare(project: Project, params: Params) -> str:
    """Run the stage `prepare`; return what it made."""
    from training.spark.prepare import prepare

    return prepare(project, params, params.spark)


def train(project: Project, params: Params, candidate: str) -> None:
    """Run the stage `train`."""
    from training.spark.train import train

    train(project, params, params.spark, candidate)


def evaluate(project: Project, params: Params, candidate: str) -> None:
    """Run the stage `evaluate`."""
    from training.spark.evaluate import evaluate

    evaluate(project, params, params.spark, candidate)


def refit(project: Project, params: Params) -> str:
    """Run the stage `refit`; return the best candidate's name."""
    from training.spark.refit import refit

    return refit(project, params, params.spark)


def write_buckets(project: Project, params: Params) -> "WriteBuckets":
    """What writes the buckets of exported lists."""
    from training.spark.export import in_executors

    return partial(in_executors, project, params.spark)
