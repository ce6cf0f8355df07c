from pathlib import Path

from app.observability.recent_figures import Step
from app.routes.status import _figures
from tests.app.conftest import offline_settings
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving


def test_status_counts_what_clients_asked_for(tmp_path: Path) -> None:
    settings = offline_settings(tmp_path)
    put_in_cache(settings, write(tmp_path / "served", make_artifact(seen={0: [0]})), version="7")
    with serving(settings) as client:
        client.get("/users/1/recommendations?k=2")
        client.get("/users/nobody/recommendations?k=2")
        client.get("/items/nothing")
        for path in ("/", "/status", "/model", "/versions", "/health/live", "/metrics"):
            client.get(path)
        status = client.get("/status").json
    step = status["steps"][-1]
    assert (step["requests"], step["refused"], step["errors"], step["swaps"]) == (3, 1, 0, 1)
    assert step["lists"] == {"personalised": 1, "fold_in": 0, "popular": 1}
    assert 0 < step["latency_ms"]["p50"] <= step["latency_ms"]["p95"] <= step["latency_ms"]["p99"] < 5000
    assert 0 < step["seconds"] < 60
    recent = status["recent_lists"]
    assert (recent["lists"], recent["catalogue_items"], recent["fallback_share"]) == (2, 6, 0.5)
    assert 2 <= recent["distinct_items"] <= 4
    assert status["model_version"] == "7"


def test_a_replica_that_has_answered_nothing_says_so(empty_client: Client) -> None:
    status, again = empty_client.get("/status").json, empty_client.get("/status").json
    assert status["model_version"] is None
    assert status["recent_lists"] == {
        "lists": 0, "distinct_items": 0, "catalogue_items": 0,
        "fallback_share": None, "short_share": None, "top10_share": None, "most_shown": [],
    }  # fmt: skip
    assert (status["replica"], status["started_at"]) == (again["replica"], again["started_at"])


def test_a_step_has_three_decimals_and_every_source_of_lists() -> None:
    step = Step(1.5, 4.99949, 9, 2, 1, [1.23456, 2.5, 3.00051], {"popular": 4}, 1)
    shown = _figures(step)
    assert (shown.requests, shown.refused, shown.errors, shown.swaps, shown.seconds) == (9, 2, 1, 1, 4.999)
    assert shown.at.isoformat() == "1970-01-01T00:00:01.500000+00:00"
    assert shown.latency_ms is not None
    assert shown.latency_ms.model_dump() == {"p50": 1.235, "p95": 2.5, "p99": 3.001}
    assert shown.lists.model_dump() == {"personalised": 0, "fold_in": 0, "popular": 4}
    assert _figures(step._replace(latencies=None)).latency_ms is None
