"""Connects to MLflow: a server if one is named, else SQLite and local files in the project's folder."""

import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx

# Set before mlflow is imported. A request repeated after a lost answer would register a version twice, and with
# its own defaults a server that is down is asked for minutes; running the stage again is safe and repeats nothing.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from training.errors import CollisionError, TrackingError

ANSWER_WITHIN_SECONDS = 10
SQLITE = "sqlite:///"

Client: TypeAlias = mlflow.MlflowClient


def connect(root: Path, experiment: str) -> Client:
    """Point MLflow at the store of this project and make sure that the experiment exists.

    DVC runs queued experiments in temporary folders that it throws away; DVC_ROOT is the project's own.
    Raises TrackingError where a server does not answer in time or a SQLite database can't be used.
    """
    home = Path(os.environ.get("DVC_ROOT", root)).resolve()
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{home / 'mlflow.db'}"
    remote = uri.startswith(("http://", "https://"))
    if remote:
        _ping(uri)
    elif uri.startswith(SQLITE):
        _check_database(Path(uri.removeprefix(SQLITE)))
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    with mlflow_errors():
        _quiet()
        client: Client = mlflow.MlflowClient()
        # A server chooses the place of its artifacts itself.
        _make_experiment(client, experiment, None if remote else (home / "mlruns").as_uri())
        mlflow.set_experiment(experiment)
    return client


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Turn an error of MLflow into a TrackingError of one sentence; a CollisionError may be gone at a second try."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:
        reason = " ".join(str(error).split())[:500]
        # MLflow looks for a row and then inserts it, so two programs that do so at once collide in its database.
        kind = CollisionError if re.search("unique constraint", reason, re.IGNORECASE) else TrackingError
        raise kind(f"MLflow at {mlflow.get_tracking_uri()} failed: {reason}; models/ and reports/ are kept") from error


def _ping(uri: str) -> None:
    try:
        httpx.get(f"{uri.rstrip('/')}/health", timeout=ANSWER_WITHIN_SECONDS)
    except httpx.HTTPError as error:
        raise TrackingError(
            f"the MLflow server at {uri} does not answer ({error or type(error).__name__}): start it or correct "
            "MLFLOW_TRACKING_URI, then try again; everything trained is kept"
        ) from error


def _check_database(path: Path) -> None:
    """Raise TrackingError where SQLite can't read or write the file; MLflow would try again for minutes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=ANSWER_WITHIN_SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")
            ((result,),) = database.execute("PRAGMA quick_check(1)")
    except (sqlite3.Error, OSError) as error:
        result = str(error)
    if result != "ok":
        remedy = "end the program that uses it" if "locked" in result else "put back a copy of it, or move it away"
        raise TrackingError(
            f"MLflow's database {path} can't be used ({' '.join(result.split())}): {remedy}, then try again; "
            "everything trained is kept, and registered in a new database where there is none"
        )


def _make_experiment(client: Client, name: str, artifacts: str | None) -> None:
    if client.get_experiment_by_name(name) is not None:
        return
    try:
        client.create_experiment(name, artifacts)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another program has made it since
            raise


def _quiet() -> None:
    for name in ("alembic", "mlflow.tracking.fluent"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It logs each error with its traceback before it raises it.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
