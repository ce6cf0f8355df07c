"""Runs the stages in this process."""

from typing import TYPE_CHECKING

from training.params.whole import Params
from training.project import Project

if TYPE_CHECKING:
    from training.export import WriteBuckets


def check() -> None:
    """Everything that this engine needs is installed with the project."""


def events(project: Project, params: Params) -> str:
    """Run the stage `events`; return what it made."""
    from training.events import events

    return events(params.fetch, project.events, project.root)


def prepare(project: Project, params: Params) -> str:
    """Run the stage `prepare`; return what it made."""
    from training.prepare import prepare

    return prepare(params, project.raw, project.prepared, project.stats, project.events)


def train(project: Project, params: Params, candidate: str) -> None:
    """Run the stage `train`."""
    from training.train import train

    train(project, params, candidate, params.shared_members)


def evaluate(project: Project, params: Params, candidate: str) -> None:
    """Run the stage `evaluate`."""
    from training.evaluate import evaluate

    evaluate(project, params, candidate)


def refit(project: Project, params: Params) -> str:
    """Run the stage `refit`; return the best candidate's name."""
    from training.refit import refit

    return refit(project, params)


def write_buckets(_: Project, __: Params) -> "WriteBuckets":
    """What writes the buckets of exported lists."""
    from training.export import in_this_process

    return in_this_process
