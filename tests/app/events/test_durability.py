"""What was answered with 200 is there, once, whatever is killed; real processes under load."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.settings import Settings
from tests.every_route import assert_every_route_answers
from tests.postgres import Postgres
from tests.processes import wait_until
from tests.sending import FILMS, Sending, aim, missing_or_twice, sending, statuses
from tests.service import Asking, serves, service

ITEM = 10
ANSWERED = 50  # events more, at least, before each kill
MOMENTS = (0.35, 1.0, 0.6, 0.8, 0.5)  # seconds more until it


@pytest.fixture(params=["sqlite", "postgresql"])
def stored_in(request: pytest.FixtureRequest, events_settings: Settings) -> Settings:
    """The settings of a service with each kind of store."""
    return (
        events_settings
        if request.param == "sqlite"
        else at(events_settings, request.getfixturevalue("events_database"))
    )


def at(settings: Settings, server: Postgres) -> Settings:
    return Settings.model_validate({**settings.model_dump(), "events_url": server.url("events_service")})


def kill_the_service(settings: Settings, log: Path, rounds: int) -> int:
    """Kill the service again and again while clients send; returns how many events and films were answered with 200."""
    with sending(ITEM) as clients:
        for number in range(rounds):
            with service(settings, log) as (client, running):
                wait_until(serves(client, "1"))
                aim(clients, client)
                load(clients, number)
                os.killpg(running.pid, signal.SIGKILL)
        with service(settings, log) as (client, _):
            wait_until(serves(client, "1"))
            aim(clients, client)
            load(clients, rounds)
            for item_id in clients[-1].answered[:: FILMS * rounds]:
                assert client.get(f"/items/{item_id}").json["title"] == f"Film {item_id}"
    return check(clients, settings)


def check(clients: Sequence[Sending], settings: Settings) -> int:
    assert settings.events_url is not None
    assert missing_or_twice(clients, settings.events_url.get_secret_value()) == (set(), set())
    assert statuses(clients).keys() <= {200, 503, 0}
    return count(clients)


def kill_postgres(settings: Settings, server: Postgres, log: Path, rounds: int) -> int:
    """Kill the server, or one of its processes, again and again; nobody's recommendations fail."""
    with service(settings, log) as (client, _), sending(ITEM) as clients:
        wait_until(serves(client, "1"))
        asking = Asking(client)
        asking.start()
        aim(clients, client)
        for number in range(rounds):
            load(clients, number)
            if number % 2:
                kill_one_backend(server)
            else:
                kill_all(server, clients)
        answered = statuses(clients)[200]
        wait_until(lambda: statuses(clients)[200] > answered + 10)
        assert {status for status, _ in asking.stop()} == {200}
    return check(clients, settings)


def load(clients: Sequence[Sending], number: int) -> None:
    """Return at some moment while the clients' events are answered."""
    before = count(clients)
    wait_until(lambda: count(clients) >= before + ANSWERED)
    time.sleep(MOMENTS[number % len(MOMENTS)])


def count(clients: Sequence[Sending]) -> int:
    return sum(len(each.answered) for each in clients)


def kill_all(server: Postgres, clients: Sequence[Sending]) -> None:
    """Kill what the others end with, and start all again once somebody was refused."""
    processes, refused = server.processes(), statuses(clients)[503]
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not any(each.is_running() for each in processes))
    wait_until(lambda: statuses(clients)[503] > refused)
    server.start()


def kill_one_backend(server: Postgres) -> None:
    """Kill a process that works for a client: the server then restarts all of them."""
    [[pid]] = server.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'events_service' LIMIT 1")
    os.kill(int(str(pid)), signal.SIGKILL)


@pytest.mark.long
def test_a_service_that_is_killed_loses_no_answered_event(stored_in: Settings, tmp_path: Path) -> None:
    assert kill_the_service(stored_in, tmp_path / "log", rounds=2) > 100


@pytest.mark.long
def test_a_server_that_is_killed_loses_no_answered_event(
    events_settings: Settings, own_postgres: Postgres, tmp_path: Path
) -> None:
    assert kill_postgres(at(events_settings, own_postgres), own_postgres, tmp_path / "log", rounds=2) > 100


@pytest.mark.long
def test_while_a_server_hangs_events_are_refused_in_time_and_recommendations_go_on(
    events_settings: Settings, own_postgres: Postgres, tmp_path: Path
) -> None:
    with service(at(events_settings, own_postgres), tmp_path / "log") as (client, _), sending(ITEM) as clients:
        wait_until(serves(client, "1"))
        aim(clients, client)
        wait_until(lambda: all(each.answered for each in clients))
        processes = own_postgres.processes()
        for each in processes:
            each.suspend()
        asking = Asking(client)
        asking.start()
        wait_until(lambda: all(each.statuses[503] >= 2 for each in clients))
        assert_every_route_answers(client)
        for each in processes:
            each.resume()
        answered = statuses(clients)[200]
        wait_until(lambda: statuses(clients)[200] > answered + 10)
        assert {status for status, _ in asking.stop()} == {200}
    assert max(each.slowest_refusal for each in clients) > 1.5
    check(clients, at(events_settings, own_postgres))
