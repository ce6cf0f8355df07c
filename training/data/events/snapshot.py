"""Reads the event store, a PostgreSQL database or a SQLite file, as it is at one moment."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Row, Select, column, create_engine, func, make_url, select, table
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from app.contract.events import EMBEDDED_STORE, FORGET, NO_STORE
from training.errors import DataError

VARIABLE = "EVENTS_URL"
CONNECT_WITHIN_SECONDS = 10
SQLITE = "sqlite"
LATEST = 253_402_300_800  # the year 10,000, in seconds since 1970

_STORE = table("store", column("id"))
_COLUMNS = ("position", "user_id", "item_id", "type", "value", "occurred_at", "received_at")
_EVENT = table("event", *map(column, _COLUMNS))


@dataclass(frozen=True)
class Snapshot:
    """The event store at one moment: its id, and the numbers of its first and last event, both 0 if there is none."""

    store: str
    first: int
    until: int
    connection: Connection

    def files(self, size: int) -> Sequence[int]:
        """Which files of `size` positions hold events; numbers may have gaps of any size."""
        file = _EVENT.c.position.op("/")(size)
        return sorted(self.connection.execute(select(file).distinct()).scalars())

    def rows(self, first: int, last: int) -> Sequence[Row[Any]]:
        """Read the events that `query` finds."""
        return self.connection.execute(self.query(first, last)).all()

    def query(self, first: int, last: int) -> Select[Any]:
        """Find the events with numbers from `first` to `last`, by number.

        A user who wants to be forgotten is left out, but for the event that says so: what the user says later counts.
        """
        later = _EVENT.alias()
        forgotten = select(1).where(
            later.c.user_id == _EVENT.c.user_id, later.c.type == FORGET, later.c.position > _EVENT.c.position
        )
        wanted = _EVENT.c.position.between(first, min(last, self.until)) & ~forgotten.exists()
        return select(_EVENT).where(wanted).order_by(_EVENT.c.position)


def store_address(home: Path) -> URL | None:
    """Read the address of the store that EVENTS_URL names, or of the embedded one; None where it is off.

    The project's folder is DVC_ROOT in an experiment, else `home`. Raises DataError as `address_of` does.
    """
    url = os.environ.get(VARIABLE) or EMBEDDED_STORE
    return None if url == NO_STORE else address_of(url, Path(os.environ.get("DVC_ROOT", home)))


def address_of(url: str, home: Path) -> URL:
    """Read the address of a store; a relative path of a SQLite file begins at `home`.

    Raises DataError for what is no address, or that of another kind of database.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DataError(
            "EVENTS_URL is no address: write postgresql://user:password@host/events or sqlite:///file"
        ) from error
    if address.drivername == "postgresql":
        return address.set(drivername="postgresql+psycopg")
    if address.drivername == SQLITE and address.database:
        return address.set(database=str(home / address.database))
    raise DataError(f"EVENTS_URL begins with {address.drivername}://; known are postgresql:// and sqlite:///file")


def missing_file(address: URL) -> str | None:
    """Return the SQLite file of a store to which nobody has said anything yet."""
    missing = address.drivername == SQLITE and not Path(str(address.database)).is_file()
    return address.database if missing else None


@contextmanager
def snapshot(address: URL) -> Iterator[Snapshot]:
    """Open the event store at an address of `address_of`; raise DataError where it can't be read, or is none."""
    engine = _engine(address)
    try:
        with engine.connect() as connection:
            if address.drivername == SQLITE:
                # Python's driver begins a transaction at the first change, and here is none.
                connection.exec_driver_sql("BEGIN")
            yield _opened(connection)
    except SQLAlchemyError as error:
        raise unreadable(address, str(error.__cause__ or error)) from error
    finally:
        engine.dispose()


def unreadable(address: URL, reason: str) -> DataError:
    """Make the error of a store that can't be read; it doesn't show the password."""
    return DataError(
        f"the event store {address.render_as_string()} can't be read ({' '.join(reason.split())[:300]}): start it or "
        "correct EVENTS_URL, or set fetch.events to false in params.yaml to train without events"
    )


def seconds(moment: datetime | float) -> int:
    """A time of the store, which SQLite keeps as a number, in whole seconds since 1970.

    Raises DataError for a time that no service has written.
    """
    time = moment.timestamp() if isinstance(moment, datetime) else moment
    if not abs(time) < LATEST:
        raise DataError(f"the event store holds the time {time}, which is none: correct or delete that event")
    return int(time)


def _engine(address: URL) -> Engine:
    if address.drivername == SQLITE:
        return create_engine(address)
    # Everything that is read is of one moment, so no event before `until` is missing.
    waiting = {"connect_timeout": CONNECT_WITHIN_SECONDS}
    return create_engine(address, isolation_level="REPEATABLE READ", connect_args=waiting)


def _opened(connection: Connection) -> Snapshot:
    store = connection.execute(select(_STORE.c.id)).scalar_one()
    first, last = connection.execute(select(func.min(_EVENT.c.position), func.max(_EVENT.c.position))).one()
    return Snapshot(str(store), first or 0, last or 0, connection)
