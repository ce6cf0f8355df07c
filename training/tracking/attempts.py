"""Logs the attempts of a search: runs below the search's own run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlflow.entities import Metric, Param, RunTag
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from training.tracking.connection import Client, mlflow_errors
from training.tracking.runs import metric_key

STUDY = "study"
ATTEMPT = "attempt"


@dataclass(frozen=True)
class AttemptRun:
    """The content of an attempt's run; `curve` is the validation metric after each epoch."""

    number: int
    params: Mapping[str, Any]
    curve: Mapping[int, float]
    value: float | None
    outcome: str
    began: datetime
    ended: datetime


def search_run(client: Client, experiment: str, study: str, tags: Mapping[str, str]) -> str:
    """Return the id of a search's run, which is made if there is none."""
    with mlflow_errors():
        experiment_id = client.get_experiment_by_name(experiment).experiment_id
        matches = client.search_runs([experiment_id], f"tags.{STUDY} = '{study}'")
        if matches:
            return str(matches[0].info.run_id)
        run = client.create_run(experiment_id, run_name=f"tune {study}", tags={STUDY: study, **tags})
        return str(run.info.run_id)


def log_attempts(client: Client, search_id: str, metric: str, attempts: Iterable[AttemptRun]) -> None:
    """Log the attempts that MLflow lacks, each as a run below the search's, with its curve."""
    with mlflow_errors():
        experiment_id = client.get_run(search_id).info.experiment_id
        below = client.search_runs([experiment_id], f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{search_id}'", max_results=50000)
        logged = {run.data.tags.get(ATTEMPT) for run in below}
        for attempt in attempts:
            if str(attempt.number) not in logged:
                _log_attempt(client, experiment_id, search_id, metric_key(f"validation_{metric}"), attempt)


def end_search(client: Client, search_id: str, metric: str, best: float | None) -> None:
    """Log the best attempt's metric and end the run."""
    with mlflow_errors():
        if best is not None:
            client.log_metric(search_id, metric_key(f"best_validation_{metric}"), best)
        client.set_terminated(search_id)


def _log_attempt(client: Client, experiment_id: str, search_id: str, key: str, attempt: AttemptRun) -> None:
    began, ended = (int(moment.timestamp() * 1000) for moment in (attempt.began, attempt.ended))
    tags = {MLFLOW_PARENT_RUN_ID: search_id, "outcome": attempt.outcome}
    run_id = client.create_run(experiment_id, began, tags, run_name=f"attempt {attempt.number}").info.run_id
    curve = [Metric(key, value, ended, epoch) for epoch, value in attempt.curve.items()]
    best = [] if attempt.value is None else [Metric(f"best_{key}", attempt.value, ended, 0)]
    params = [Param(name, str(value)) for name, value in attempt.params.items()]
    for start in range(0, len(curve), 1000):
        client.log_batch(run_id, metrics=curve[start : start + 1000])
    # The number comes last: a run without it is incomplete, and is logged again.
    client.log_batch(run_id, metrics=best, params=params, tags=[RunTag(ATTEMPT, str(attempt.number))])
    client.set_terminated(run_id, "FAILED" if attempt.outcome == "fail" else "FINISHED", ended)
