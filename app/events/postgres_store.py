"""Keeps events in PostgreSQL; deploy/events makes its tables and roles."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

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

# The server ends what takes longer, so that a writer that hangs holds up the others no longer than this.
MILLISECONDS = 1000 * TIMEOUT_SECONDS
TIMEOUTS = " ".join(
    f"-c {name}={MILLISECONDS}" for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
)
# A connection whose packets nobody confirms ends after some seconds. By default the system sends them again for many
# minutes, ever more rarely, and so notices late that the network is whole again.
LIFE_SIGNS = {
    "keepalives_idle": TIMEOUT_SECONDS,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 2 * MILLISECONDS,
}
CHANNEL = "event"
# Writers take turns, and the lock ends after the commit is visible: so events become visible in the order of their
# positions. The number is any that nothing else in this database locks.
TAKE_TURNS = "SELECT pg_advisory_xact_lock(7310302)"
EVENT_FIELDS = ("event_id", "user_id", "item_id", "type", "value", "occurred_at", "recommendation_id", "body", "after")
APPEND = """
INSERT INTO event (event_id, user_id, item_id, type, value, occurred_at, recommendation_id, body, received_at)
SELECT event_id, user_id, item_id, type, value, to_timestamp(occurred_at), recommendation_id, body,
  to_timestamp(%s::float8)
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::real[], %s::float8[], %s::text[], %s::text[],
    %s::bigint[]) WITH ORDINALITY
  AS new (event_id, user_id, item_id, type, value, occurred_at, recommendation_id, body, after, place)
WHERE after IS NULL OR after >=
  (SELECT coalesce(max(position), 0) FROM event AS former
    WHERE former.body IS NOT NULL AND former.type = new.type AND former.item_id = new.item_id)
ORDER BY place ON CONFLICT (event_id) DO NOTHING
RETURNING event_id::text, position
"""
EXPOSURE_FIELDS = ("day", "user_id", "experiment", "arm", "version", "lists", "films")
EXPOSE = """
INSERT INTO exposure (day, user_id, experiment, arm, version, lists, films)
SELECT * FROM unnest(%s::date[], %s::text[], %s::text[], %s::smallint[], %s::text[], %s::integer[], %s::integer[])
"""
IMPRESSION_FIELDS = ("day", "recommendation_id", "item_id", "user_id", "rank", "placement", "source", "odds", "among")
SHOW = """
INSERT INTO impression (day, recommendation_id, item_id, user_id, rank, placement, source, odds, among)
SELECT * FROM unnest(%s::date[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::text[], %s::text[],
  %s::float8[], %s::text[])
ON CONFLICT DO NOTHING
"""
READ = """
SELECT event_id::text, user_id, item_id, type, value, extract(epoch FROM occurred_at)::float8, recommendation_id,
  body, position, extract(epoch FROM received_at)::float8
FROM event WHERE position > %s ORDER BY position LIMIT %s
"""
READ_CHANGES = READ.replace("WHERE", "WHERE body IS NOT NULL AND")
READ_OF_USER = READ.replace(
    "position > %s ORDER BY position LIMIT %s", "user_id = %s AND body IS NULL ORDER BY position"
)
SHOWN_TO_USER = """
SELECT day::text, recommendation_id, item_id, user_id, rank, placement, source, odds, among FROM impression
WHERE user_id = %s ORDER BY day, recommendation_id, rank
"""
EXPOSURES_OF_USER = """
SELECT day::text, user_id, experiment, arm, version, lists, films FROM exposure WHERE user_id = %s ORDER BY id
"""
DELETE_EVENTS = """
DELETE FROM event WHERE type <> 'forget' AND body IS NULL AND received_at < to_timestamp(%s) AND position <= %s
  AND position < (SELECT max(position) FROM event)
"""
DELETE_EXPOSURES = "DELETE FROM exposure WHERE day < %s::date"
DELETE_IMPRESSIONS = "DELETE FROM impression WHERE day < %s::date"

Connection = psycopg.Connection[TupleRow]


class PostgresStore:
    """Events in a database, whose user needs no right but to insert and select."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: Connection | None = None
        self._listens = False

    @property
    def id(self) -> str:
        """The id of the stored events."""
        with self._connected() as connection:
            return str(_only(connection.execute("SELECT id FROM store")))

    def append(self, events: Sequence[Event], received_at: float) -> Appended:
        """Store all events or none, in one transaction and one exchange of messages."""
        with self._connected() as connection:
            with connection.pipeline(), connection.transaction():
                connection.execute(TAKE_TURNS)
                added = connection.execute(APPEND, (received_at, *_columns(events, EVENT_FIELDS)))
                last = connection.execute(LATEST)
                connection.execute(f"NOTIFY {CHANNEL}")
            new: dict[str, int] = dict(added.fetchall())
            # The first of two events with the same id is the one that was stored.
            return Appended([new.pop(event.event_id, None) for event in events], _only(last))

    def read_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first events after a position."""
        return self._read(READ, position, limit)

    def read_changes_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first changes of items and placements after a position."""
        return self._read(READ_CHANGES, position, limit)

    def _read(self, query: str, position: int, limit: int) -> list[StoredEvent]:
        with self._connected() as connection:
            rows = connection.execute(query, (position, limit)).fetchall()
        return [_stored(row) for row in rows]

    def latest(self) -> int:
        """The last position."""
        with self._connected() as connection:
            return int(_only(connection.execute(LATEST)))

    def append_exposures(self, exposures: Sequence[Exposure]) -> None:
        """Store all or none, in one statement."""
        with self._connected() as connection:
            connection.execute(EXPOSE, _columns(exposures, EXPOSURE_FIELDS))

    def append_impressions(self, impressions: Sequence[Impression]) -> None:
        """Store all or none, in one statement."""
        with self._connected() as connection:
            connection.execute(SHOW, _columns(impressions, IMPRESSION_FIELDS))

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
        with self._patient() as connection:
            for statement in DELETE_COUNTED:
                connection.execute(statement)
            return connection.execute(DELETE_FORGOTTEN).rowcount

    def delete_events(self, before: float, until: int) -> int:
        """Delete old events."""
        with self._patient() as connection:
            return connection.execute(DELETE_EVENTS, (before, until)).rowcount

    def delete_exposures(self, before: str) -> None:
        """Delete old exposures."""
        with self._patient() as connection:
            connection.execute(DELETE_EXPOSURES, (before,))

    def delete_impressions(self, before: str) -> None:
        """Delete old impressions."""
        with self._patient() as connection:
            connection.execute(DELETE_IMPRESSIONS, (before,))

    def wait(self, seconds: float) -> bool:
        """Listen for the notification of a commit."""
        with self._connected() as connection:
            if not self._listens:
                connection.execute(f"LISTEN {CHANNEL}")
                self._listens = True
                return True  # what was appended before has notified nobody here
            return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))

    def close(self) -> None:
        """Close the connection."""
        if self._open is not None:
            self._open.close()
        self._open, self._listens = None, False

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            if self._open is None:
                address = make_conninfo(self._url, options=TIMEOUTS, connect_timeout=TIMEOUT_SECONDS, **LIFE_SIGNS)
                self._open = psycopg.connect(address, autocommit=True)
            yield self._open
        except psycopg.Error as error:
            self.close()
            # Further lines may quote the row, and so what somebody likes.
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise EventStoreError(f"The events in PostgreSQL can't be read or written: {reason}") from error

    @contextmanager
    def _patient(self) -> Iterator[Connection]:
        """A transaction that takes the time it needs: to delete much is slow, and holds up no writer."""
        with self._connected() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            yield connection


def _columns(rows: Sequence[Event | Exposure | Impression], fields: Sequence[str]) -> tuple[list[object], ...]:
    return tuple([getattr(row, field) for row in rows] for field in fields)


def _only(cursor: psycopg.Cursor[TupleRow]) -> Any:  # noqa: ANN401 - a value of any type
    """The value of a result of one row and one column."""
    [[value]] = cursor.fetchall()
    return value


def _stored(row: TupleRow) -> StoredEvent:
    return StoredEvent(*row[:-2], position=row[-2], received_at=row[-1])
