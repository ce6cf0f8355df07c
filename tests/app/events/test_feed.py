"""The feed with real stores."""

import asyncio
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from app.contract.artifact import LearnedEvents
from app.contract.events import CHANGE, Event
from app.contract.store_address import StoreAddress
from app.events import feed as feed_module
from app.events.catalogue_changes import CatalogueChanges
from app.events.feed import STALLED_SECONDS, Feed
from app.events.feed_state import LATE_SECONDS, OK, UNAVAILABLE, FeedMetrics
from app.events.open_store import open_store
from app.events.overlay import Overlay
from app.events.rows import StoredEvent
from app.events.store import EventStore
from tests.app.events.stories import NOW, said
from tests.metrics import collected
from tests.postgres import Postgres
from tests.processes import wait_until

Open = Callable[[], EventStore]


class Running:
    """A feed that runs, its overlay and its metrics."""

    def __init__(self, store: EventStore) -> None:
        self.overlay, self.collectors = Overlay(), CollectorRegistry()
        self.changes = CatalogueChanges()
        self.feed = Feed(store, self.overlay, self.changes, FeedMetrics(self.collectors))

    def has(self, *users: str) -> Callable[[], bool]:
        """The condition that the overlay has these users and no others."""
        return lambda: self.overlay.users.keys() == set(users)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/events.db"
    url: str = request.getfixturevalue("events_database").url("events_service")
    return url


@pytest.fixture
def store(url: str) -> Iterator[EventStore]:
    store = open_store(StoreAddress(url))
    yield store
    store.close()


@contextmanager
def running_feed(url: str) -> Iterator[Running]:
    running = Running(open_store(StoreAddress(url)))
    running.feed.start()
    try:
        yield running
    finally:
        running.feed.stop()


@pytest.fixture
def running(url: str) -> Iterator[Running]:
    with running_feed(url) as running:
        yield running


def say(store: EventStore, *users: str) -> int:
    """A like of each of the users; returns the last position."""
    return store.append([said(user, "like", "x") for user in users], NOW).last


def learned(store: EventStore, until: int) -> LearnedEvents:
    return LearnedEvents(store.id, until)


def test_a_model_s_recent_events_are_there_before_it_answers(running: Running, store: EventStore) -> None:
    say(store, "a", "b")
    until = say(store, "c")
    last = say(store, "d", "e")
    running.feed.prepare("serving", learned(store, until))
    assert running.has("d", "e")()
    assert running.feed.state.position == last
    assert running.feed.state.status == OK


@pytest.mark.parametrize("known", [None, LearnedEvents("0" * 8 + "-0000-0000-0000-" + "0" * 12, 2)])
def test_a_model_that_knows_this_store_s_events_not_needs_all(
    running: Running, store: EventStore, known: LearnedEvents | None
) -> None:
    say(store, "a", "b")
    running.feed.prepare("serving", known)
    assert running.has("a", "b")()


def test_what_another_process_appends_comes_soon(running: Running, store: EventStore) -> None:
    running.feed.prepare("serving", None)
    for number in range(5):
        began = time.monotonic()
        say(store, f"user {number}")
        wait_until(lambda: f"user {number}" in running.overlay.users, step=0.002)  # noqa: B023
        assert time.monotonic() - began < 0.5


def test_a_swap_to_an_older_model_reads_the_gap_first_and_a_newer_one_drops_what_nobody_needs(
    running: Running, store: EventStore
) -> None:
    positions = [say(store, user) for user in "abcdef"]
    running.feed.prepare("serving", learned(store, positions[3]))
    assert running.has("e", "f")()
    running.feed.prepare("serving", learned(store, positions[1]))  # as a rollback does
    assert running.has("c", "d", "e", "f")()
    running.feed.prepare("serving", learned(store, positions[2]))
    running.feed.prepare("serving", learned(store, positions[4]))
    assert running.has("d", "e", "f")()  # the one before may come back
    running.feed.prepare("trying", learned(store, positions[0]))
    assert running.has("b", "c", "d", "e", "f")()


@pytest.mark.parametrize("n_learned", [0, 2, 4])
def test_a_start_reads_each_change_once_however_many_a_model_has_learned(
    running: Running, store: EventStore, monkeypatch: pytest.MonkeyPatch, n_learned: int
) -> None:
    changes = [
        Event(str(uuid4()), "ann", item, CHANGE, None, NOW, body='{"title": "x"}') for item in ("10", "20", "10", "30")
    ]
    positions = store.append(changes, NOW).positions
    read: list[int] = []
    add = running.changes.add

    def noting(events: Iterable[StoredEvent]) -> bool:
        known = list(events)
        read.extend(event.position for event in known)
        return add(known)

    monkeypatch.setattr(running.changes, "add", noting)
    running.feed.prepare("serving", learned(store, positions[n_learned - 1] or 0 if n_learned else 0))
    assert read == positions
    assert {item: change.position for item, change in running.changes.items.items()} == {
        "10": positions[2], "20": positions[1], "30": positions[3],
    }  # fmt: skip


def test_batches_end_where_they_must(running: Running, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "BATCH", 3)
    positions = [say(store, str(user)) for user in range(20)]
    running.feed.prepare("serving", learned(store, positions[12]))
    assert running.has(*map(str, range(13, 20)))()
    running.feed.prepare("serving", learned(store, positions[3]))
    assert running.has(*map(str, range(4, 20)))()
    assert running.feed.state.position == positions[-1]


def test_a_request_can_wait_for_a_position(running: Running, store: EventStore) -> None:
    running.feed.prepare("serving", None)
    last = say(store, "a")

    async def ask() -> tuple[bool, bool, float]:
        began = time.monotonic()
        found, missing = await asyncio.gather(running.feed.has(last, 5), running.feed.has(last + 1, 0.25))
        return found, missing, time.monotonic() - began

    found, missing, seconds = asyncio.run(ask())
    assert (found, missing) == (True, False)
    assert 0.2 < seconds < 2


def test_a_restored_store_begins_anew(
    running: Running, store: EventStore, url: str, request: pytest.FixtureRequest
) -> None:
    say(store, "a", "b", "c")
    running.feed.prepare("serving", learned(store, 2))
    assert running.has("c")()
    statement = f"UPDATE store SET id = '{uuid4()}'"  # noqa: S608
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute(statement)
    else:
        request.getfixturevalue("events_database").execute(statement, "events")
    wait_until(running.has("a", "b", "c"))


def test_a_store_that_is_older_than_the_model_is_told(running: Running, store: EventStore) -> None:
    last = say(store, "a")
    running.feed.prepare("serving", learned(store, 500))
    found = collected(running.collectors)
    assert found["recommender_overlay_learned_until"] == 500
    assert found["recommender_overlay_position"] == last


def test_the_metrics_tell_how_it_goes(running: Running, store: EventStore) -> None:
    last = say(store, "a", "b")
    running.feed.prepare("serving", None)
    found = collected(running.collectors)
    assert found["recommender_overlay_users"] == 2
    assert found["recommender_overlay_position"] == last
    assert 0 <= found["recommender_overlay_lag_seconds"] < 5
    assert found["recommender_overlay_failures_total"] == 0


def test_a_store_that_is_down_at_the_start_holds_nobody_up_and_is_followed_once_it_is_there(tmp_path: Path) -> None:
    place = tmp_path / "not yet" / "events.db"
    with running_feed(f"sqlite:///{place}") as running:
        began = time.monotonic()
        running.feed.prepare("serving", None)
        assert time.monotonic() - began < 2
        assert running.feed.state.status == UNAVAILABLE
        assert str(place) in str(running.feed.state.problem)
        assert collected(running.collectors)["recommender_overlay_failures_total"] >= 1
        place.parent.mkdir()
        with closing(open_store(StoreAddress(f"sqlite:///{place}"))) as later:
            say(later, "a")
        wait_until(running.has("a"))
        wait_until(lambda: running.feed.state.status == OK)


def backends(database: Postgres) -> list[int]:
    """The processes of the server that serve the feed and the test's store."""
    found = database.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'events_service'")
    return [int(str(pid)) for (pid,) in found]


def test_a_connection_that_breaks_is_made_again_and_nothing_is_lost(events_database: Postgres) -> None:
    url = events_database.url("events_service")
    with running_feed(url) as running:
        running.feed.prepare("serving", None)
        for user in "abc":
            events_database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'events_service'"
            )
            store = open_store(StoreAddress(url))
            say(store, user)
            store.close()
            wait_until(lambda: user in running.overlay.users)  # noqa: B023
        wait_until(lambda: running.feed.state.status == OK)
        assert running.has("a", "b", "c")()
        assert collected(running.collectors)["recommender_overlay_failures_total"] >= 1


def test_a_store_that_hangs_holds_a_swap_up_for_seconds_only(
    events_database: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    url = events_database.url("events_service")
    with running_feed(url) as running:
        running.feed.prepare("serving", None)
        stopped = backends(events_database)
        assert stopped
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            store = open_store(StoreAddress(url))
            say(store, "a")
            began = time.monotonic()
            running.feed.prepare("serving", None)
            assert STALLED_SECONDS - 0.5 < time.monotonic() - began < STALLED_SECONDS + 3
            assert "without all recent events" in caplog.text
            assert running.feed._thread.daemon  # else the process would wait for the store
            state = running.feed.state.at(time.time() + LATE_SECONDS)
            assert (state.status, running.feed.state.at(time.time()).status) == (UNAVAILABLE, OK)
            assert re.fullmatch(r"The store has told nothing for 1\d s; it may hang", state.problem or "")
            assert running.has()()
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        wait_until(running.has("a"))
        store.close()
