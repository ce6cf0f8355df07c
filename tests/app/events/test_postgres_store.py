"""What only the store in PostgreSQL does."""

import os
import signal
import socket
import time

import psycopg
import pytest

from app.events.postgres_store import TAKE_TURNS, PostgresStore
from app.events.store import EventStoreError
from tests.app.events.test_store import NOW, event
from tests.postgres import Postgres
from tests.processes import free_port, wait_until


def test_a_server_that_is_down_is_named_without_the_password() -> None:
    store = PostgresStore(f"postgresql://service:secret@127.0.0.1:{free_port()}/events")
    with pytest.raises(EventStoreError, match=r"The events in PostgreSQL can't be .* refused") as error:
        store.append([event()], NOW)
    assert "secret" not in str(error.value)


def test_a_connection_without_a_sign_of_life_ends_within_seconds(events_database: Postgres) -> None:
    with events_database.over_tcp("events_service") as url:
        store = PostgresStore(url)
        assert store.latest() == 0
        assert store._open is not None
        with socket.socket(fileno=os.dup(store._open.fileno())) as connection:
            unconfirmed = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            idle = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            pause = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        store.close()
    assert 0 < unconfirmed <= 5000
    assert idle + pause <= 5


def test_a_refused_event_is_not_quoted(events_database: Postgres) -> None:
    store = PostgresStore(events_database.url("events_service"))
    with pytest.raises(EventStoreError, match="violates check constraint") as error:
        store.append([event("somebody", type="rating", value=9.0)], NOW)
    assert "somebody" not in str(error.value)


def test_a_writer_that_keeps_its_turn_holds_up_the_others_for_two_seconds(events_database: Postgres) -> None:
    store = PostgresStore(events_database.url("events_service"))
    store.append([event()], NOW)
    with psycopg.connect(events_database.url("events_service")) as other:
        other.execute(TAKE_TURNS)
        started = time.monotonic()
        with pytest.raises(EventStoreError, match="timeout"):
            store.append([event()], NOW)
        assert 1.5 < time.monotonic() - started < 20
    store.append([event()], NOW)
    assert len(store.read_after(0, 10)) == 2
    store.close()


def test_a_reader_that_waits_for_a_server_that_ends_says_so_and_goes_on_after_its_return(
    own_postgres: Postgres,
) -> None:
    store = PostgresStore(own_postgres.url("events_service"))
    store.append([event()], NOW)
    assert store.wait(0)
    of_server = own_postgres.processes()
    os.kill(own_postgres.pid, signal.SIGKILL)
    with pytest.raises(EventStoreError, match="The events in PostgreSQL"):
        store.wait(60)
    wait_until(lambda: not any(each.is_running() for each in of_server))
    own_postgres.start()
    assert store.wait(0), "what was appended meanwhile has notified nobody"
    assert store.latest() == 1
    store.close()
