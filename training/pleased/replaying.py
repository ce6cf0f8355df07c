"""Says what versions would have brought at explored ranks, by what people liked of what they were shown there."""

import tempfile
from datetime import date, datetime, timezone
from pathlib import Path

import pandas as pd

from app.contract.artifact_directory import load_artifact
from app.contract.recommender import Recommender
from training.errors import DataError, ParamsError
from training.metrics.bootstrap import Interval
from training.metrics.ratio import Ratio
from training.params.whole import Params
from training.pleased.explored import choices, explored
from training.pleased.looking import shown_between
from training.pleased.off_policy import MOST_OF_ONE, Replay, SupportError, replay, without_robots
from training.pleased.page import rate
from training.pleased.shown import LIKED
from training.project import Project
from training.tracking.aliases import version_of
from training.tracking.connection import Client, connect, mlflow_errors
from training.tracking.on_trial import tag
from training.tracking.versions import download_served
from training.trials.records import USER


def replay_versions(project: Project, params: Params, version: str, alias: str, days: tuple[date, date]) -> str:
    """Say what to print; raises DataError where the store can't be read, or the odds don't support an answer.

    A version may have learned from what people said before it was registered, so only lists since then count; for the
    version with the alias, the same.
    """
    client, name = connect(project.root, params.registration.experiment), params.registration.name
    with mlflow_errors():
        other = version_of(client, name, alias)
    if other is None:
        raise ParamsError(f"no version of {name} has the alias {alias!r}: name another by --alias")
    names = {version: f"version {version}", other: f"version {other}, {alias}"}
    since = max(_registered(client, name, each) for each in names)
    confidence = params.registration.gate.confidence
    rows = explored(shown_between(project, params, *days).items, since)
    lines = [_title(rows, since)]
    if len(rows):
        lines.append(f"as it was: {rate(_as_it_was(rows, confidence))} successes of 100")
    found = {
        number: _replayed(rows, _recommender(client, name, number), said, confidence) for number, said in names.items()
    }
    for number, (each, robots) in found.items():
        lines.append(f"{names[number]}: {_said(each)}")
        if robots:
            lines.append(f"left out: {robots} people who alone have more than {MOST_OF_ONE:.0%} of all weight")
        tag(client, name, number, _tags(each, days))
    return "\n".join(f"replay: {each}" for each in lines)


def _registered(client: Client, name: str, version: str) -> float:
    with mlflow_errors():
        return float(client.get_model_version(name, version).creation_timestamp) / 1000


def _recommender(client: Client, name: str, version: str) -> Recommender:
    with tempfile.TemporaryDirectory() as folder:
        return Recommender(load_artifact(download_served(client, name, version, Path(folder))))


def _title(rows: pd.DataFrame, since: float) -> str:
    moment = datetime.fromtimestamp(since, timezone.utc).isoformat(timespec="seconds")
    return f"{len(rows):,} explored lists of {rows[USER].nunique():,} people, since the versions are there ({moment})"


def _as_it_was(rows: pd.DataFrame, confidence: float) -> Interval:
    users = rows.groupby(USER)[LIKED].agg(["sum", "count"])
    return Ratio.of(users["sum"].to_numpy(), users["count"].to_numpy()).interval(confidence)


def _replayed(rows: pd.DataFrame, version: Recommender, said: str, confidence: float) -> tuple[Replay, int]:
    """The estimates, and how many people were left out."""
    try:
        kept, robots = without_robots(choices(rows, version))
        return replay(kept, confidence), robots
    except SupportError as error:
        raise DataError(f"{said}: {error}") from error


def _tags(found: Replay, days: tuple[date, date]) -> dict[str, str]:
    """What the version's page in MLflow shows, beside the figures of the gate."""
    return {
        "replay_days": f"{days[0]} to {days[1]}",
        "replay_snips": rate(found.snips),
        "replay_doubly_robust": rate(found.doubly_robust),
        "replay_effective_lists": f"{found.effective:.0f} of {found.choices}",
    }


def _said(found: Replay) -> str:
    return (
        f"{rate(found.snips)} (SNIPS), {rate(found.doubly_robust)} (doubly robust) successes of 100; "
        f"{found.choices:,} lists tell as much as {found.effective:,.0f} of its own"
    )
