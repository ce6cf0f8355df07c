"""The version on trial: how its trial begins and ends. All that is known of it is in its tags in MLflow."""

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from app.contract import trial as tags
from app.contract.alias import CHALLENGER, PRODUCTION
from app.contract.trial import Trial, read_trial
from training.errors import TrackingError
from training.tracking.aliases import move, take_away, version_of
from training.tracking.connection import Client, mlflow_errors

WON, LOST, ENDED = "won", "lost", "ended"
END = "trial_end"


def begin(client: Client, name: str, version: str, share: float) -> Trial:
    """Make a version the challenger, on trial against the live version from now on."""
    live = version_of(client, name, PRODUCTION)
    if live is None or live == version:
        raise TrackingError(f"version {version} of {name} can't go on trial: no other version is {PRODUCTION}")
    trial = Trial(version, live, secrets.token_hex(16), share, time.time())
    # In this order: a trial whose version has not the alias is taken for one that somebody has ended.
    move(client, name, CHALLENGER, version)
    tag(client, name, version, trial.tags())
    return trial


def running(client: Client, name: str) -> Trial | None:
    """Return the trial of the challenger; `end_overtaken` ends one that an alias moved by hand has overtaken.

    Raises TrackingError where somebody has spoilt the tags of the version on trial.
    """
    with mlflow_errors():
        version = version_of(client, name, CHALLENGER)
        return None if version is None else _trial(client, name, version)


def end_overtaken(client: Client, name: str) -> list[str]:
    """End each trial whose version is no longer the challenger of the version that it ran against; say why."""
    with mlflow_errors():
        live, challenger = (version_of(client, name, alias) for alias in (PRODUCTION, CHALLENGER))
        found = client.search_model_versions(f"name='{name}' and tags.{tags.STATE}='{tags.RUNNING}'")
    sentences = (
        _overtaken(client, name, str(each.version), each.tags.get(tags.AGAINST), live, challenger) for each in found
    )
    return [sentence for sentence in sentences if sentence]


def end(client: Client, name: str, version: str, state: str, reason: str) -> None:
    """End a trial: the version loses its alias, and its tags say how and why."""
    with mlflow_errors():
        if version_of(client, name, CHALLENGER) == version:
            take_away(client, name, CHALLENGER)
        tag(client, name, version, {END: reason, tags.STATE: state})


def show(client: Client, name: str, trial: Trial, verdict: str, gain: Mapping[str, str], page: Path) -> None:
    """Write the verdict into tags of both versions, its figures and the page to the one on trial."""
    tag(client, name, trial.version, {tags.VERDICT: verdict, **gain})
    tag(client, name, trial.against, {tags.VERDICT: f"against version {trial.version}: {verdict}"})
    with mlflow_errors():
        run = client.get_model_version(name, trial.version).run_id
        if run:  # a version that somebody registered by hand may have none
            client.log_artifact(run, str(page), "trial")


def tag(client: Client, name: str, version: str, content: dict[str, str]) -> None:
    """Write tags of a version, in their order."""
    with mlflow_errors():
        for key, value in content.items():
            client.set_model_version_tag(name, version, key, value)


def _trial(client: Client, name: str, version: str) -> Trial | None:
    try:
        return read_trial(version, client.get_model_version(name, version).tags)
    except ValueError as error:
        raise TrackingError(f"{error}, or take the alias {CHALLENGER} away to end the trial") from error


def _overtaken(
    client: Client, name: str, version: str, against: str | None, live: str | None, challenger: str | None
) -> str:
    if live == version:
        reason = f"version {version} was promoted by hand"
    elif live != against:
        reason = f"{f'version {live}' if live else 'no version'} is live instead of version {against}"
    elif challenger != version:
        taken = f"version {challenger} has" if challenger else "nobody has"
        reason = f"{taken} the alias {CHALLENGER} instead of version {version}"
    else:
        return ""
    end(client, name, version, ENDED, reason)
    return f"the trial of version {version} has ended: {reason}"
