"""Aliases of the registered model: which version is live, and how that changes.

MLflow's web page lower-cases every alias, so ours are written in lower case and read in any case.
"""

import re

from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from app.contract.alias import PREVIOUS, PRODUCTION, SEEN_LIVE, resolve_alias
from training.errors import TrackingError
from training.tracking.connection import Client, mlflow_errors


def version_of(client: Client, name: str, alias: str) -> str | None:
    """Return the version with an alias in any spelling; None without one, or without such a model."""
    model = _model(client, name)
    aliased = None if model is None else resolve_alias(model.aliases, alias)
    return None if aliased is None else aliased.version


def move(client: Client, name: str, alias: str, version: str) -> None:
    """Give an alias, in lower case, to a version and remove every other spelling of it."""
    client.set_registered_model_alias(name, alias, version)
    take_away(client, name, alias, kept=alias)


def take_away(client: Client, name: str, alias: str, kept: str | None = None) -> None:
    """Remove an alias in every spelling but the one that is `kept`."""
    for spelling in client.get_registered_model(name).aliases:
        if spelling.lower() == alias and spelling != kept:
            client.delete_registered_model_alias(name, spelling)


def follow(client: Client, name: str) -> str:
    """Let `previous` follow a move of `production` that a person has made since a command last looked; say which.

    MLflow keeps no history of an alias. Where no command has looked before, nobody knows what was live, and no version
    stays `previous`.
    """
    with mlflow_errors():
        model, live = _model(client, name), version_of(client, name, PRODUCTION)
        seen = None if model is None else model.tags.get(SEEN_LIVE)
        if seen == live:
            return ""
        if seen is not None and client.search_model_versions(f"name='{name}' and version_number={seen}"):
            move(client, name, PREVIOUS, seen)
        else:
            take_away(client, name, PREVIOUS)
        if live is None:
            return ""
        client.set_registered_model_tag(name, SEEN_LIVE, live)
    before = f"{seen} was live when a command last looked" if seen else "no command has looked before"
    return f"version {live} was made {PRODUCTION} by hand; {before}"


def promote(client: Client, name: str, version: str) -> str | None:
    """Make a version the live one; return the former live version, which becomes `previous`.

    For the version that is live already `previous` stays as it is. Raises TrackingError where there is no such version.
    """
    # MLflow takes "01" for version 1, and it would seem to be another one than "1".
    if not re.fullmatch("[1-9][0-9]*", version):
        raise TrackingError(f"{version!r} is not the number of a version; {name} has them as 1, 2 and so on")
    with mlflow_errors():
        client.get_model_version(name, version)
        follow(client, name)
        former = version_of(client, name, PRODUCTION)
        move(client, name, PRODUCTION, version)
        follow(client, name)
    return former


def rollback(client: Client, name: str) -> tuple[str | None, str]:
    """Make `previous` live again and the live version `previous`; return the former live version and the new one.

    Raises TrackingError where it isn't known which version was live before.
    """
    follow(client, name)
    with mlflow_errors():
        previous = version_of(client, name, PREVIOUS)
    if previous is None:
        raise TrackingError(
            f"nobody has noted which version of {name} was {PRODUCTION} before: name one with promote VERSION"
        )
    return promote(client, name, previous), previous


def _model(client: Client, name: str) -> RegisteredModel | None:
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
