"""How a real process stops."""

import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from app.settings import Settings
from tests.artifacts import write
from tests.client import Answer, Client, put_in_cache
from tests.conftest import MakeSettings
from tests.processes import answers, wait_until
from tests.service import Asking, service

TOKEN = {"Authorization": "Bearer token"}


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    settings: Settings = make_settings(drain_seconds=2, admin_token="token")
    put_in_cache(settings, write(tmp_path / "served"), "5")
    return settings


def is_stopping(client: Client) -> bool:
    answer = client.get("/health/ready")
    return answer.status == 503 and answer.json["error"]["code"] == "stopping"


@pytest.mark.long
def test_ready_turns_503_while_everything_else_is_still_answered(settings: Settings, tmp_path: Path) -> None:
    with service(settings.model_copy(update={"drain_seconds": 60}), tmp_path / "log") as (client, running):
        assert client.get("/health/ready").status == 200
        asking = Asking(client)
        asking.start()
        running.send_signal(signal.SIGTERM)
        wait_until(lambda: is_stopping(client))
        assert client.get("/health/live").status == 200
        for _ in range(100):
            assert client.get("/users/1/recommendations").status == 200
        assert {status for status, _ in asking.stop()} == {200}


@pytest.mark.long
def test_the_end_comes_after_the_pause(settings: Settings, tmp_path: Path) -> None:
    with service(settings, tmp_path / "log") as (client, running):
        started = time.monotonic()
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == -signal.SIGTERM
        assert time.monotonic() - started >= 2
        assert not answers(client.port, "/health/live")
    assert "Not ready any more; stopping in 2 seconds" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("drain_seconds", [0, pytest.param(1, marks=pytest.mark.long)])
def test_a_request_in_flight_is_answered(settings: Settings, tmp_path: Path, drain_seconds: int) -> None:
    # A registry that is silent: a poll takes 3 seconds, and so does the request that asks for one.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        changed = {"mlflow_tracking_uri": uri, "registry_timeout_seconds": 3, "model_poll_seconds": 3600}
        changed["drain_seconds"] = drain_seconds
        with service(settings.model_copy(update=changed), tmp_path / "log") as (client, running):
            wait_until(lambda: client.get("/model").json["registry"]["status"] == "registry_unavailable")
            answered: list[Answer] = []
            asking = threading.Thread(target=lambda: answered.append(client.get("/model/reload", "POST", TOKEN)))
            silent.settimeout(20)
            silent.accept()[0].close()  # that of the first poll
            asking.start()
            polling, _ = silent.accept()
            with polling:
                running.send_signal(signal.SIGTERM)
                asking.join()
                running.wait(20)
    assert [answer.status for answer in answered] == [200]
    assert answered[0].json["registry"]["status"] == "registry_unavailable"


@pytest.mark.long
def test_without_a_pause_the_end_comes_at_once(make_settings: MakeSettings, tmp_path: Path) -> None:
    with service(make_settings(), tmp_path / "log") as (_, running):
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == -signal.SIGTERM
    assert "Not ready any more" not in (tmp_path / "log").read_text()


@pytest.mark.long
def test_a_second_signal_ends_the_pause(settings: Settings, tmp_path: Path) -> None:
    with service(settings.model_copy(update={"drain_seconds": 60}), tmp_path / "log") as (client, running):
        running.send_signal(signal.SIGTERM)
        wait_until(lambda: is_stopping(client))
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == -signal.SIGTERM


@pytest.mark.long
def test_ctrl_c_does_not_wait(settings: Settings, tmp_path: Path) -> None:
    with service(settings.model_copy(update={"drain_seconds": 60}), tmp_path / "log") as (_, running):
        running.send_signal(signal.SIGINT)
        running.wait(20)


@pytest.mark.long
def test_several_workers_each_end_gracefully(settings: Settings, tmp_path: Path) -> None:
    longer = settings.model_copy(update={"drain_seconds": 5})
    with service(longer, tmp_path / "log", {"WEB_CONCURRENCY": "2"}) as (client, running):
        wait_until(lambda: (tmp_path / "log").read_text().count("Application startup complete") == 2)
        started = time.monotonic()
        running.send_signal(signal.SIGTERM)
        wait_until(lambda: is_stopping(client))
        assert client.get("/users/1/recommendations").status == 200
        running.wait(20)
        assert time.monotonic() - started >= 5
    assert (tmp_path / "log").read_text().count("Not ready any more") == 2
