import threading
from typing import Any

import pytest

from app.events import feed, feed_state
from app.events.sqlite_store import SqliteStore
from app.settings import Settings
from tests.client import Client, serving
from tests.every_route import assert_every_route_answers
from tests.processes import wait_until


def test_a_service_without_a_model_is_live(empty_client: Client) -> None:
    answer = empty_client.get("/health/live")
    assert (answer.status, answer.json) == (200, {"status": "live"})


def test_a_service_without_a_model_is_not_ready(empty_client: Client) -> None:
    answer = empty_client.get("/health/ready", headers={"X-Request-ID": "probe-1"})
    assert answer.status == 503
    assert answer.json == {
        "error": {
            "code": "no_model",
            "message": "No model has been loaded yet; /model says what is missing.",
            "request_id": "probe-1",
        }
    }


def test_a_service_with_a_model_is_ready(client: Client) -> None:
    answer = client.get("/health/ready")
    assert (answer.status, answer.json) == (200, {"status": "ready", "model_version": "7"})


@pytest.mark.parametrize(("route", "without_model"), [("/health/live", 200), ("/health/ready", 503)])
def test_a_load_balancer_may_ask_with_head(
    client: Client, empty_client: Client, route: str, without_model: int
) -> None:
    answers = client.get(route, "HEAD"), empty_client.get(route, "HEAD")
    assert [(answer.status, answer.body) for answer in answers] == [(200, b""), (without_model, b"")]


def test_a_service_is_not_ready_while_it_reads_events_unless_their_store_hangs(
    events_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_after, goes_on = SqliteStore.read_after, threading.Event()

    def read_late(*args: Any) -> Any:
        goes_on.wait()
        return read_after(*args)

    monkeypatch.setattr(SqliteStore, "read_after", read_late)
    monkeypatch.setattr(feed, "CATCH_UP_SECONDS", 0)
    with serving(events_settings) as client:
        wait_until(lambda: client.version() == "1")
        answer = client.get("/health/ready")
        assert (answer.status, answer.json["error"]["code"]) == (503, "catching_up")
        assert_every_route_answers(client)
        with monkeypatch.context() as hanging:
            hanging.setattr(feed_state, "LATE_SECONDS", 0)
            assert client.get("/health/ready").status == 200
            assert client.get("/model").json["events"]["status"] == "events_unavailable"
            assert_every_route_answers(client)
        assert client.get("/health/ready").status == 503
        goes_on.set()
        wait_until(lambda: client.get("/health/ready").status == 200)
