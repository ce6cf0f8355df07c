"""Keeps events in a SQLite file; several processes of one machine may share it."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path

from app.contract.events import Event
from app.events.rows import TABLES, Appended, Row, names
from app.events.sqlite_tables import VERSION, make_tables, transaction
from app.events.store import LATEST, TIMEOUT_SECONDS, EventStore, EventStoreError

POLL_SECONDS = 0.02
COLUMNS = [name for name in names(Event) if name != "after"]
LAST_EDIT = "SELECT coalesce(max(position), 0) FROM event WHERE body IS NOT NULL AND type = ? AND item_id = ?"


class SqliteStore(EventStore):
    """Events in a file, which is made at first use; each commit is on the disk before it returns.

    A file that was deleted or replaced meanwhile is an error for as long as the process runs. To open the new one would
    mix it with the log of the old one, which other connections have open, and to make an empty one would hide the loss.
    """

    seconds, moment, mark = "{}", "%s", "?"
    day = "date({}, 'unixepoch')"
    texts = "SELECT value FROM json_each(%s)"

    def __init__(self, file: Path) -> None:
        self._file = file
        self._opened: tuple[int, int] | None = None
        self._open: sqlite3.Connection | None = None
        self._seen_version = -1

    def append(self, events: Sequence[Event], received_at: float) -> Appended:
        """Store all events or none, in one transaction."""
        with self._connected() as connection, transaction(connection):
            positions = [_append(connection, event, received_at) for event in events]
            return Appended(positions, connection.execute(LATEST).fetchone()[0])

    def add(self, rows: Sequence[Row]) -> None:
        """Store all or none, in one transaction."""
        with self._connected() as connection, transaction(connection):
            if rows:
                table, columns = TABLES[type(rows[0])], names(type(rows[0]))
                connection.executemany(_insert(table, columns), map(attrgetter(*columns), rows))

    def wait(self, seconds: float) -> bool:
        """Poll the number that changes whenever another connection commits, of this process or of any."""
        deadline = time.monotonic() + seconds
        while not self._has_changed():
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def _has_changed(self) -> bool:
        with self._connected() as connection:
            version = int(connection.execute("PRAGMA data_version").fetchone()[0])
        before, self._seen_version = self._seen_version, version
        return version != before

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
        self._open, self._seen_version = None, -1

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._open is None:
                self._check_that_it_is_the_same()
                self._open = _connect(self._file)
                self._opened = self._opened or _identity(self._file)
            yield self._open
        except sqlite3.Error as error:
            self.close()
            raise EventStoreError(f"The events in {self._file} can't be read or written: {error}") from error
        # After a commit: what went into a file that nobody finds again is not stored.
        self._check_that_it_is_the_same()

    @contextmanager
    def _patient(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection, transaction(connection):
            yield connection

    def _check_that_it_is_the_same(self) -> None:
        if self._opened is not None and self._opened != _identity(self._file):
            raise EventStoreError(
                f"The events in {self._file} can't be read or written: the file was deleted or replaced. "
                "Stop all processes that use it, put the right file there, and start them again"
            )


def _identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from another one at the same place; None if there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # Else what is deleted stays in the file until something else takes its place, also of users who leave.
        connection.execute("PRAGMA secure_delete = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise EventStoreError(
                f"{file} has tables of version {version}, and this program knows version {VERSION}: use a newer one."
            )
        if version < VERSION:
            make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608 - names of ours


APPEND, VALUES = _insert("event", [*COLUMNS, "received_at"]), attrgetter(*COLUMNS)


def _append(connection: sqlite3.Connection, event: Event, received_at: float) -> int | None:
    if event.after is not None:
        [last] = connection.execute(LAST_EDIT, (event.type, event.item_id)).fetchone()
        if last > event.after:
            return None
    done = connection.execute(APPEND, (*VALUES(event), received_at))
    return done.lastrowid if done.rowcount else None
