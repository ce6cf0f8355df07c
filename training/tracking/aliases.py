"""Aliases of the registered model: which version is live, and how that changes.

MLflow's web page lower-cases every alias, so ours are written in lower case and read in any case.
"""

import re

from mlflow.exceptions import MlflowException

from app.contract.alias import resolve_alias
from training.errors import TrackingError
from training.tracking.connection import Client, mlflow_errors

PRODUCTION = "production"
PREVIOUS = "previous"
CHALLENGER = "challenger"


def version_of(client: Client, name: str, alias: str) -> str | None:
    """Return the version with an alias in any spelling; None without one, or without such a model."""
    try:
        aliases = client.get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    aliased = resolve_alias(aliases, alias)
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


def promote(client: Client, name: str, version: str) -> str | None:
    """Make a version the live one; return the former live version, which becomes `previous`.

    For the version that is live already `previous` stays as it is. Raises TrackingError where there is no such version.
    """
    # MLflow takes "01" for version 1, and it would seem to be another one than "1".
    if not re.fullmatch("[1-9][0-9]*", version):
        raise TrackingError(f"{version!r} is not the number of a version; {name} has them as 1, 2 and so on")
    with mlflow_errors():
        client.get_model_version(name, version)
        former = version_of(client, name, PRODUCTION)
        move(client, name, PRODUCTION, version)
        if former is not None and former != version:
            move(client, name, PREVIOUS, former)
    return former


def rollback(client: Client, name: str) -> tuple[str | None, str]:
    """Make `previous` live again and the live version `previous`; return the former live version and the new one.

    Raises TrackingError where there is no previous version.
    """
    with mlflow_errors():
        previous = version_of(client, name, PREVIOUS)
    if previous is None:
        raise TrackingError(f"{name} has no version with the alias {PREVIOUS}: name one with promote VERSION")
    return promote(client, name, previous), previous
