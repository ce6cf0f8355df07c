"""Connects to MLflow: a server if one is named, else SQLite and local files in the project's folder."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
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

from training.errors import TrackingError

ANSWER_WITHIN_SECONDS = 10

Client: TypeAlias = mlflow.MlflowClient


def connect(root: Path, experiment: str) -> Client:
    """Point MLflow at the store of this project and make sure that the experiment exists.

    DVC runs queued experiments in temporary folders that it throws away; DVC_ROOT is the project's own.
    Raises TrackingError where a server does not answer in time.
    """
    home = Path(os.environ.get("DVC_ROOT", root)).resolve()
    uri = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}"
    remote = uri.startswith(("http://", "https://"))
    if remote:
        _ping(uri)
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    with mlflow_errors():
        _quiet()
        client: Client = mlflow.MlflowClient()
        if client.get_experiment_by_name(experiment) is None:
            # A server chooses the place of its artifacts itself.
            client.create_experiment(experiment, None if remote else (home / "mlruns").as_uri())
        mlflow.set_experiment(experiment)
    return client


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Turn an error of MLflow into a TrackingError of one sentence."""
    try:
        yield
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())[:500]
        raise TrackingError(
            f"MLflow at {mlflow.get_tracking_uri()} failed: {reason}; models/ and reports/ are kept"
        ) from error


def _ping(uri: str) -> None:
    try:
        httpx.get(f"{uri.rstrip('/')}/health", timeout=ANSWER_WITHIN_SECONDS)
    except httpx.HTTPError as error:
        raise TrackingError(
            f"the MLflow server at {uri} does not answer ({error or type(error).__name__}): start it or correct "
            "MLFLOW_TRACKING_URI, then run dvc repro again; everything trained is kept"
        ) from error


def _quiet() -> None:
    for name in ("alembic", "mlflow.store.db.utils", "mlflow.tracking.fluent"):
        logging.getLogger(name).setLevel(logging.WARNING)
