"""Keeps events in a SQLite file; several processes of one machine may share it."""

import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

from app.contract.events import Event
from app.events.store import (
    DELETE_COUNTED,
    DELETE_FORGOTTEN,
    LATEST,
    TIMEOUT_SECONDS,
    Appended,
    EventStoreError,
    Exposure,
    Impression,
    PersonalData,
    StoredEvent,
)

# 1 had no exposures, until 2 the table listed the types of events, until 3 their values; 4 had no changes, 5 no
# impressions, 6 no placements, 7 no odds.
VERSION = 8
POLL_SECONDS = 0.02
# The same tables as in PostgreSQL, which deploy/events makes. Times are seconds since 1970, UTC.
TABLES = """
CREATE TABLE IF NOT EXISTS event (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  item_id TEXT CHECK (length(item_id) BETWEEN 1 AND 200),
  type TEXT NOT NULL,
  value REAL CHECK (type <> 'rating' OR (value IS NOT NULL AND value BETWEEN 0.5 AND 5)),
  occurred_at REAL NOT NULL,
  received_at REAL NOT NULL,
  recommendation_id TEXT CHECK (length(recommendation_id) <= 64),
  body TEXT,
  CHECK ((type IN ('change', 'placement')) = (body IS NOT NULL)),
  CHECK ((type = 'forget') = (item_id IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS event_of_user ON event (user_id, position);
CREATE INDEX IF NOT EXISTS edit ON event (type, item_id, position) WHERE body IS NOT NULL;
CREATE TABLE IF NOT EXISTS exposure (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  day TEXT NOT NULL,
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  experiment TEXT NOT NULL,
  arm INTEGER NOT NULL,
  version TEXT NOT NULL,
  lists INTEGER NOT NULL,
  films INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS exposure_of_user ON exposure (experiment, user_id);
CREATE TABLE IF NOT EXISTS impression (
  day TEXT NOT NULL,
  recommendation_id TEXT NOT NULL CHECK (length(recommendation_id) <= 64),
  item_id TEXT NOT NULL CHECK (length(item_id) BETWEEN 1 AND 200),
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  rank INTEGER NOT NULL,
  placement TEXT,
  source TEXT,
  odds REAL CHECK (odds > 0 AND odds <= 1),
  among TEXT,
  PRIMARY KEY (day, recommendation_id, item_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS impression_of_user ON impression (user_id);
CREATE TABLE IF NOT EXISTS store (id TEXT NOT NULL) STRICT;
"""
FORMER_COLUMNS = "position, event_id, user_id, item_id, type, value, occurred_at, received_at, recommendation_id"
FIRST_WITH_BODIES, FIRST_WITH_IMPRESSIONS, FIRST_WITH_PLACEMENTS = 5, 6, 7
WITH_ODDS = """
ALTER TABLE impression ADD COLUMN odds REAL CHECK (odds > 0 AND odds <= 1);
ALTER TABLE impression ADD COLUMN among TEXT
"""
# SQLite can't take a check off a table. Positions go on after the last one, also if its event is gone.
WITH_FEWER_CHECKS = """
DROP INDEX event_of_user;
DROP INDEX IF EXISTS change_of_item;
DROP INDEX IF EXISTS edit;
ALTER TABLE event RENAME TO former;
{tables}
INSERT INTO event ({former}) SELECT {former} FROM former;
DELETE FROM sqlite_sequence WHERE name = 'event';
UPDATE sqlite_sequence SET name = 'event' WHERE name = 'former';
DROP TABLE former
"""
APPEND = """
INSERT INTO event (event_id, user_id, item_id, type, value, occurred_at, recommendation_id, body, received_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING
"""
LAST_EDIT = "SELECT coalesce(max(position), 0) FROM event WHERE body IS NOT NULL AND type = ? AND item_id = ?"
EXPOSE = "INSERT INTO exposure (day, user_id, experiment, arm, version, lists, films) VALUES (?, ?, ?, ?, ?, ?, ?)"
SHOW = """
INSERT INTO impression (day, recommendation_id, item_id, user_id, rank, placement, source, odds, among)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
READ = """
SELECT event_id, user_id, item_id, type, value, occurred_at, recommendation_id, body, position, received_at
FROM event WHERE position > ? ORDER BY position LIMIT ?
"""
READ_CHANGES = READ.replace("WHERE", "WHERE body IS NOT NULL AND")
READ_OF_USER = READ.replace("position > ? ORDER BY position LIMIT ?", "user_id = ? AND body IS NULL ORDER BY position")
SHOWN_TO_USER = """
SELECT day, recommendation_id, item_id, user_id, rank, placement, source, odds, among FROM impression
WHERE user_id = ? ORDER BY day, recommendation_id, rank
"""
EXPOSURES_OF_USER = (
    "SELECT day, user_id, experiment, arm, version, lists, films FROM exposure WHERE user_id = ? ORDER BY id"
)
DELETE_EVENTS = """
DELETE FROM event WHERE type <> 'forget' AND body IS NULL AND received_at < ? AND position <= ?
  AND position < (SELECT max(position) FROM event)
"""
DELETE_EXPOSURES = "DELETE FROM exposure WHERE day < ?"
DELETE_IMPRESSIONS = "DELETE FROM impression WHERE day < ?"


class SqliteStore:
    """Events in a file, which is made at first use; each commit is on the disk before it returns.

    A file that was deleted or replaced meanwhile is an error for as long as the process runs. To open the new one would
    mix it with the log of the old one, which other connections have open, and to make an empty one would hide the loss.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._opened: tuple[int, int] | None = None
        self._open: sqlite3.Connection | None = None
        self._seen_version = -1

    @property
    def id(self) -> str:
        """The id of the stored events."""
        with self._connected() as connection:
            return str(connection.execute("SELECT id FROM store").fetchone()[0])

    def append(self, events: Sequence[Event], received_at: float) -> Appended:
        """Store all events or none, in one transaction."""
        with self._connected() as connection, _transaction(connection):
            positions = [_append(connection, event, received_at) for event in events]
            return Appended(positions, connection.execute(LATEST).fetchone()[0])

    def read_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first events after a position."""
        return self._read(READ, position, limit)

    def read_changes_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first changes of items and placements after a position."""
        return self._read(READ_CHANGES, position, limit)

    def _read(self, query: str, position: int, limit: int) -> list[StoredEvent]:
        with self._connected() as connection:
            return [_stored(row) for row in connection.execute(query, (position, limit)).fetchall()]

    def latest(self) -> int:
        """The last position."""
        with self._connected() as connection:
            return int(connection.execute(LATEST).fetchone()[0])

    def append_exposures(self, exposures: Sequence[Exposure]) -> None:
        """Store all or none, in one transaction."""
        with self._connected() as connection, _transaction(connection):
            connection.executemany(EXPOSE, [astuple(each) for each in exposures])

    def append_impressions(self, impressions: Sequence[Impression]) -> None:
        """Store all or none, in one transaction."""
        with self._connected() as connection, _transaction(connection):
            connection.executemany(SHOW, [astuple(each) for each in impressions])

    def personal_data(self, user_id: str) -> PersonalData:
        """All that is held about a user."""
        queries = READ_OF_USER, SHOWN_TO_USER, EXPOSURES_OF_USER
        with self._connected() as connection:
            said, shown, exposed = (connection.execute(query, (user_id,)).fetchall() for query in queries)
        return PersonalData(
            [_stored(row) for row in said], [Impression(*row) for row in shown], [Exposure(*row) for row in exposed]
        )

    def delete_forgotten(self) -> int:
        """Delete what users said before they wished to be forgotten, in one transaction."""
        with self._connected() as connection, _transaction(connection):
            for statement in DELETE_COUNTED:
                connection.execute(statement)
            return connection.execute(DELETE_FORGOTTEN).rowcount

    def delete_events(self, before: float, until: int) -> int:
        """Delete old events."""
        with self._connected() as connection:
            return connection.execute(DELETE_EVENTS, (before, until)).rowcount

    def delete_exposures(self, before: str) -> None:
        """Delete old exposures."""
        with self._connected() as connection:
            connection.execute(DELETE_EXPOSURES, (before,))

    def delete_impressions(self, before: str) -> None:
        """Delete old impressions."""
        with self._connected() as connection:
            connection.execute(DELETE_IMPRESSIONS, (before,))

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
            _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection) -> None:
    with _transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:  # another process was faster
            return
        columns = FORMER_COLUMNS + (", body" if version >= FIRST_WITH_BODIES else "")
        is_former = 0 < version < FIRST_WITH_PLACEMENTS
        statements = WITH_FEWER_CHECKS.format(tables=TABLES, former=columns) if is_former else TABLES
        if version >= FIRST_WITH_IMPRESSIONS:
            statements += f";{WITH_ODDS}"
        for statement in statements.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO store SELECT ? WHERE NOT EXISTS (SELECT * FROM store)", (str(uuid.uuid4()),))
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _stored(row: tuple[Any, ...]) -> StoredEvent:
    return StoredEvent(*row[:-2], position=row[-2], received_at=row[-1])


def _append(connection: sqlite3.Connection, event: Event, received_at: float) -> int | None:
    if event.after is not None:
        [last] = connection.execute(LAST_EDIT, (event.type, event.item_id)).fetchone()
        if last > event.after:
            return None
    done = connection.execute(
        APPEND,
        (
            event.event_id,
            event.user_id,
            event.item_id,
            event.type,
            event.value,
            event.occurred_at,
            event.recommendation_id,
            event.body,
            received_at,
        ),
    )
    return done.lastrowid if done.rowcount else None


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or nothing; a writer waits here for another one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
