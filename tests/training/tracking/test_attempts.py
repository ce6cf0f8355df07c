from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from training.tracking.attempts import AttemptRun, end_search, log_attempts, search_run
from training.tracking.connection import Client, connect

BEGAN = datetime(2026, 5, 17, 12, 0, 0)


@pytest.fixture
def client(tmp_path: Path, empty_store: Path) -> Client:
    (tmp_path / "mlflow.db").write_bytes(empty_store.read_bytes())
    return connect(tmp_path, "search")


def attempt(number: int, outcome: str = "complete", epochs: int = 3, **changes: Any) -> AttemptRun:
    curve = {epoch: 0.1 * epoch for epoch in range(1, epochs + 1)}
    fields = {"value": 0.3, **changes}
    return AttemptRun(number, {"alpha": 0.5}, curve, fields["value"], outcome, BEGAN, BEGAN + timedelta(seconds=9))


def runs_below(client: Client, search_id: str) -> list[Any]:
    experiment_id = client.get_run(search_id).info.experiment_id
    return list(client.search_runs([experiment_id], f"tags.`mlflow.parentRunId` = '{search_id}'"))


def test_each_attempt_is_a_run_with_its_curve_below_the_search(client: Client) -> None:
    search_id = search_run(client, "search", "ease-0123", {"family": "ease"})
    log_attempts(client, search_id, "ndcg@10", [attempt(1), attempt(2, "fail", value=None)])
    end_search(client, search_id, "ndcg@10", 0.3)
    runs = {run.info.run_name: run for run in runs_below(client, search_id)}
    assert {name: run.info.status for name, run in runs.items()} == {"attempt 1": "FINISHED", "attempt 2": "FAILED"}
    run = runs["attempt 1"]
    assert run.data.params == {"alpha": "0.5"}
    assert run.data.metrics["best_validation_ndcg_at_10"] == 0.3
    assert run.info.end_time - run.info.start_time == 9000
    curve = client.get_metric_history(run.info.run_id, "validation_ndcg_at_10")
    assert [point.step for point in curve] == [1, 2, 3]
    search = client.get_run(search_id)
    assert (search.info.status, search.data.metrics) == ("FINISHED", {"best_validation_ndcg_at_10": 0.3})


def test_a_curve_longer_than_mlflow_takes_at_once_is_logged_whole(client: Client) -> None:
    search_id = search_run(client, "search", "ease-0123", {})
    log_attempts(client, search_id, "ndcg@10", [attempt(1, epochs=1100)])
    end_search(client, search_id, "ndcg@10", None)
    assert client.get_run(search_id).data.metrics == {}
    curve = client.get_metric_history(runs_below(client, search_id)[0].info.run_id, "validation_ndcg_at_10")
    assert [point.step for point in curve] == list(range(1, 1101))


def test_an_attempt_is_logged_once_and_a_search_has_one_run(client: Client) -> None:
    for attempts in ([attempt(1)], [attempt(1), attempt(2)]):
        search_id = search_run(client, "search", "ease-0123", {"family": "ease"})
        log_attempts(client, search_id, "ndcg@10", attempts)
    assert sorted(run.info.run_name for run in runs_below(client, search_id)) == ["attempt 1", "attempt 2"]
    assert search_run(client, "search", "ease-4567", {"family": "ease"}) != search_id
