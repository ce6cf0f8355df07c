"""Keeps events in PostgreSQL; deploy/events makes its tables and roles."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from app.contract.events import Event
from app.events.rows import TABLES, Appended, Impression, Row, names
from app.events.store import LATEST, TIMEOUT_SECONDS, EventStore, EventStoreError

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
ARRAYS: dict[Any, str] = {
    str: "text[]",
    str | None: "text[]",
    int: "integer[]",
    float: "float8[]",
    float | None: "float8[]",
}

Connection = psycopg.Connection[TupleRow]


class PostgresStore(EventStore):
    """Events in a database, whose user needs no right but to insert and select."""

    seconds, moment = "extract(epoch FROM {})::float8", "to_timestamp(%s)"
    day = "({} AT TIME ZONE 'UTC')::date"
    texts = "SELECT json_array_elements_text(%s::json)"

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: Connection | None = None
        self._listens = False

    def append(self, events: Sequence[Event], received_at: float) -> Appended:
        """Store all events or none, in one transaction and one exchange of messages."""
        with self._connected() as connection:
            with connection.pipeline(), connection.transaction():
                connection.execute(TAKE_TURNS)
                added = connection.execute(APPEND, (received_at, *_columns(events, names(Event))))
                last = connection.execute(LATEST)
                connection.execute(f"NOTIFY {CHANNEL}")
            new: dict[str, int] = dict(added.fetchall())
            # The first of two events with the same id is the one that was stored.
            return Appended([new.pop(event.event_id, None) for event in events], _only(last))

    def add(self, rows: Sequence[Row]) -> None:
        """Store all or none, in one statement; impressions after a table for each day."""
        with self._connected() as connection:
            if days := {row.day for row in rows if isinstance(row, Impression)}:
                connection.execute("SELECT make_impression_days(%s::date[])", ([*days],))
            if rows:
                kind = type(rows[0])
                connection.execute(_insert(kind), _columns(rows, names(kind)))

    def delete_impressions(self, before: str) -> None:
        """Drop the tables of old days; what is left is in the table that was there before days had their own."""
        with self._patient() as connection:
            connection.execute("SELECT drop_impression_days(%s)", (before,))
        super().delete_impressions(before)

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
        with self._connected() as connection, connection.transaction():
            connection.execute("SET LOCAL statement_timeout = 0")
            yield connection


def _insert(kind: type[Row]) -> str:
    """A statement for any number of rows: it takes an array for each column."""
    arrays = ", ".join(f"%s::{'date[]' if each.name == 'day' else ARRAYS[each.type]}" for each in fields(kind))
    columns = ", ".join(names(kind))
    return f"INSERT INTO {TABLES[kind]} ({columns}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"  # noqa: S608 - names of ours


def _columns(rows: Sequence[Event | Row], fields: Sequence[str]) -> tuple[list[object], ...]:
    return tuple([getattr(row, field) for row in rows] for field in fields)


def _only(cursor: psycopg.Cursor[TupleRow]) -> Any:  # noqa: ANN401 - a value of any type
    """The value of a result of one row and one column."""
    [[value]] = cursor.fetchall()
    return value
