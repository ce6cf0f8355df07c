"""The thread that appends the events of all requests, on real stores."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from app.errors import EventsUnavailableError
from app.events.metrics import EventMetrics
from app.events.rows import StoredEvent
from app.events.sqlite_store import SqliteStore
from app.events.writer import MAX_WAITING, PATIENCE_SECONDS, EventWriter
from tests.app.events.test_store import event

Use = Callable[[EventWriter], Awaitable[None]]


class Hold:
    """Keeps every writer of a file waiting."""

    def __init__(self, file: Path) -> None:
        with closing(SqliteStore(file)) as store:
            store.latest()  # makes the tables
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


def run(file: Path, use: Use) -> None:
    """Run a coroutine with a writer."""

    async def started() -> None:
        writer = EventWriter(SqliteStore(file), EventMetrics(CollectorRegistry()))
        writer.start()
        try:
            await use(writer)
        finally:
            writer.stop()

    asyncio.run(started())


def stored(file: Path) -> list[StoredEvent]:
    store = SqliteStore(file)
    found = store.read_after(0, 100_000)
    store.close()
    return found


def failures(writer: EventWriter) -> dict[str, float]:
    """How often a commit failed or a request gave up, by cause."""
    return {cause: counter._value.get() for cause, counter in writer.metrics._failures.items()}


async def until_taken(writer: EventWriter) -> None:
    """Return once the thread has taken all that was appended, and waits for the store."""
    await asyncio.sleep(0)  # let what was appended arrive
    while writer._requests:
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a store that doesn't hang may need more than two seconds, too."""
    for limit in ("writer.PATIENCE_SECONDS", "writer.STOP_SECONDS", "sqlite_store.TIMEOUT_SECONDS"):
        monkeypatch.setattr(f"app.events.{limit}", 100)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


def test_requests_that_wait_together_share_a_commit_and_each_gets_its_own_outcome(file: Path) -> None:
    twice, others = event(), [event() for _ in range(20)]

    async def use(writer: EventWriter) -> None:
        hold = Hold(file)
        first = asyncio.create_task(writer.append([twice]))
        await until_taken(writer)
        waiting = [asyncio.create_task(writer.append([each, twice])) for each in others]
        await asyncio.sleep(0)
        hold.release()
        assert (await first).positions == [1]
        shares = await asyncio.gather(*waiting)
        assert all(new is not None and again is None for new, again in (each.positions for each in shares))
        assert {each.last for each in shares} == {shares[-1].positions[0]}
        assert writer.metrics.commits._value.get() == 2

    run(file, use)
    assert [each.event_id for each in stored(file)] == [twice.event_id, *(each.event_id for each in others)]


def test_a_commit_takes_so_many_requests_as_hold_its_events_and_no_more(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.events.writer.MAX_COMMIT", 3)

    async def use(writer: EventWriter) -> None:
        hold = Hold(file)
        first = asyncio.create_task(writer.append([event()]))
        await until_taken(writer)
        waiting = [asyncio.create_task(writer.append(events)) for events in ([event(), event()] for _ in range(4))]
        await asyncio.sleep(0)
        assert writer._waiting == 8
        hold.release()
        await asyncio.gather(first, *waiting)
        assert writer.metrics.commits._value.get() == 3  # of 1, 4 and 4 events
        assert writer._waiting == 0
        assert set(failures(writer).values()) == {0}

    run(file, use)


def test_who_gives_up_while_waiting_has_nothing_stored(file: Path) -> None:
    async def use(writer: EventWriter) -> None:
        hold = Hold(file)
        taken = asyncio.create_task(writer.append([event("taken")]))
        await until_taken(writer)
        gone = asyncio.create_task(writer.append([event("gone")]))
        await asyncio.sleep(0)
        gone.cancel()
        hold.release()
        await taken
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert writer._waiting == 0

    run(file, use)
    assert [each.user_id for each in stored(file)] == ["taken"]


def test_a_store_that_hangs_is_given_up_within_two_seconds_and_goes_on_afterwards(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATIENCE_SECONDS < 2
    monkeypatch.setattr("app.events.writer.PATIENCE_SECONDS", PATIENCE_SECONDS)

    async def use(writer: EventWriter) -> None:
        hold, started = Hold(file), time.monotonic()
        with pytest.raises(EventsUnavailableError, match=r"did not answer within 1\.8 sec") as error:
            await writer.append([event()])
        assert time.monotonic() - started > 1.5
        assert writer._thread.daemon  # else the process would wait for the store
        assert error.value.headers == {"Retry-After": "1"}
        assert failures(writer) == {"store": 0, "timeout": 1, "queue_full": 0}
        hold.release()
        await writer.append([event("after")])

    run(file, use)
    assert "after" in [each.user_id for each in stored(file)]


def test_a_store_that_is_down_is_said_at_once_and_logged_once(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = file.parent / "absent"

    async def use(writer: EventWriter) -> None:
        for _ in range(3):
            with pytest.raises(EventsUnavailableError, match="does not answer"):
                await writer.append([event()])
        assert failures(writer) == {"store": 3, "timeout": 0, "queue_full": 0}
        folder.mkdir()
        for _ in range(2):
            await writer.append([event()])

    with caplog.at_level("INFO", logger="app.events"):
        run(folder / "events.db", use)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith(f"Events are refused: The events in {folder}/events.db can't be read or written")
    assert lines[1] == "Events are stored again"


def test_more_events_than_may_wait_are_refused_at_once(file: Path) -> None:
    async def use(writer: EventWriter) -> None:
        hold = Hold(file)
        first = asyncio.create_task(writer.append([event()]))
        await until_taken(writer)
        waiting = asyncio.create_task(writer.append([event()] * MAX_WAITING))
        await asyncio.sleep(0)
        with pytest.raises(EventsUnavailableError, match="20000 events wait"):
            await writer.append([event()])
        assert failures(writer) == {"store": 0, "timeout": 0, "queue_full": 1}
        hold.release()
        await first
        await waiting
        await writer.append([event()])

    run(file, use)


def test_stopping_commits_what_waits(file: Path) -> None:
    tasks: list[asyncio.Task[object]] = []

    async def use(writer: EventWriter) -> None:
        hold = Hold(file)
        tasks.append(asyncio.create_task(writer.append([event()])))
        await until_taken(writer)
        tasks.append(asyncio.create_task(writer.append([event()])))
        await asyncio.sleep(0)
        threading.Timer(0.5, hold.release).start()

    run(file, use)
    assert len(stored(file)) == 2


def test_a_bug_in_a_store_reaches_the_request_and_does_not_end_the_thread(file: Path) -> None:
    async def use(writer: EventWriter) -> None:
        with pytest.raises(AttributeError, match="NoneType"):
            await writer.append([None])  # type: ignore[list-item]
        assert (await writer.append([event()])).positions == [1]

    run(file, use)
