"""Logs runs: one for the pipeline, one below it for each candidate."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import LocalArtifactDatasetSource
from mlflow.entities import Metric

from training.tracking.connection import Client, mlflow_errors

PIPELINE_HASH = "pipeline_hash"


def find_pipeline_run(client: Client, experiment: str, pipeline_hash: str) -> str | None:
    """Find the finished run that logged exactly these results."""
    with mlflow_errors():
        matches = client.search_runs(
            [client.get_experiment_by_name(experiment).experiment_id],
            f"tags.{PIPELINE_HASH} = '{pipeline_hash}' and attributes.status = 'FINISHED'",
        )
    return matches[0].info.run_id if matches else None


@contextmanager
def pipeline_run(run_id: str | None, params: Mapping[str, Any], tags: Mapping[str, str]) -> Iterator[str]:
    """Start the run of the whole pipeline, or resume the one with this id; yield its id."""
    with mlflow.start_run(run_id=run_id, run_name=None if run_id else "pipeline") as run:
        if run_id is None:
            mlflow.log_params(dict(params))
        mlflow.set_tags(dict(tags))
        yield str(run.info.run_id)


def log_candidate(
    client: Client,
    name: str,
    params: Mapping[str, Any],
    values: Mapping[str, float],
    curves: Mapping[str, "pd.Series[float]"],
    folder: Path,
) -> None:
    """Log a candidate as a run below the active one, with its metrics, a folder, and curves, which MLflow draws.

    A curve has a value for each step.
    """
    with mlflow.start_run(run_name=name, nested=True) as run:
        mlflow.log_params(dict(params))
        now = int(time.time() * 1000)
        metrics = [Metric(metric_key(name), value, now, 0) for name, value in values.items()]
        for name, curve in curves.items():
            steps = zip(curve.index.tolist(), curve.tolist(), strict=True)
            metrics += [Metric(metric_key(name), value, now, step) for step, value in steps]
        for start in range(0, len(metrics), 1000):
            client.log_batch(run.info.run_id, metrics=metrics[start : start + 1000])
        mlflow.log_artifacts(str(folder))


def log_dataset(name: str, source: Path, data_hash: str) -> None:
    """Log the prepared data as the active run's input."""
    dataset = MetaDataset(LocalArtifactDatasetSource(str(source)), name=name, digest=data_hash[:32])
    mlflow.log_input(dataset, context="training")


def log_folder(folder: Path) -> None:
    """Log a folder, under its own name, as an artifact of the active run."""
    mlflow.log_artifacts(str(folder), folder.name)


def metric_key(name: str) -> str:
    """Return MLflow's spelling of a metric's name, which has no @."""
    return name.replace("@", "_at_")
