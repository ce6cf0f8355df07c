"""Reads the event store, a PostgreSQL database or a SQLite file, as it is at one moment."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, Select, column, create_engine, func, inspect, select, table, text
from sqlalchemy.exc import SQLAlchemyError

from app.contract.events import EDITS, FORGET
from app.contract.store_address import EMBEDDED_STORE, StoreAddress
from training.errors import DataError

VARIABLE = "EVENTS_URL"
CONNECT_WITHIN_SECONDS = 10
LATEST = 253_402_300_800  # the year 10,000, in seconds since 1970

_STORE = table("store", column("id"))
_COLUMNS = ("position", "user_id", "item_id", "type", "value", "occurred_at", "received_at")
_EVENT = table("event", *map(column, _COLUMNS))


class Edit(NamedTuple):
    """What an item or a placement became, as JSON; its id is a secret of those who read the store."""

    position: int
    name: str
    body: str
    received_at: datetime | float
    event_id: object


@dataclass(frozen=True)
class Snapshot:
    """The event store at one moment: its id, and the numbers of its first and last event, both 0 if there is none."""

    address: StoreAddress
    store: str
    first: int
    until: int
    connection: Connection

    def files(self, size: int) -> Sequence[int]:
        """Which files of `size` positions hold events; numbers may have gaps of any size."""
        file = _EVENT.c.position.op("/")(size)
        return sorted(self.connection.execute(select(file).where(_EVENT.c.type.not_in(EDITS)).distinct()).scalars())

    def write(self, statement: str, values: dict[str, object]) -> None:
        """Change the little that training may change, after which the snapshot is another."""
        self.connection.rollback()  # SQLite lets nobody write who has read what has changed meanwhile
        self.connection.execute(text(statement), values)
        self.connection.commit()

    def edits(self, kind: str) -> list[Edit]:
        """All changes of items, or of placements, oldest first; of a former store none."""
        if "body" not in {each["name"] for each in inspect(self.connection).get_columns(_EVENT.name)}:
            return []
        wanted = (_EVENT.c.type == kind) & (_EVENT.c.position <= self.until)
        found = select(_EVENT.c.position, _EVENT.c.item_id, column("body"), _EVENT.c.received_at, column("event_id"))
        query = found.where(wanted).order_by(_EVENT.c.position)
        return [Edit(*each) for each in self.connection.execute(query)]

    def rows(self, first: int, last: int) -> Sequence[Row[Any]]:
        """Read the events that `query` finds."""
        return self.connection.execute(self.query(first, last)).all()

    def time(self, seconds: float) -> datetime | float:
        """A time as this store keeps it."""
        return seconds if self.address.file is not None else datetime.fromtimestamp(seconds, timezone.utc)

    def query(self, first: int, last: int) -> Select[Any]:
        """Find the events with numbers from `first` to `last`, by number.

        A user who wants to be forgotten is left out, but for the event that says so: what the user says later counts.
        """
        later = _EVENT.alias()
        forgotten = select(1).where(
            later.c.user_id == _EVENT.c.user_id, later.c.type == FORGET, later.c.position > _EVENT.c.position
        )
        wanted = (
            _EVENT.c.position.between(first, min(last, self.until)) & _EVENT.c.type.not_in(EDITS) & ~forgotten.exists()
        )
        return select(_EVENT).where(wanted).order_by(_EVENT.c.position)


def store_address(home: Path) -> StoreAddress | None:
    """Where events are kept, as EVENTS_URL says; None where it is off.

    A relative path begins at the project's folder: DVC_ROOT in an experiment, else `home`. Raises DataError for what is
    no address.
    """
    try:
        address = StoreAddress.of(os.environ.get(VARIABLE) or EMBEDDED_STORE)
    except ValueError as error:
        raise DataError(f"{VARIABLE}: {error}") from error
    return None if address is None else address.within(Path(os.environ.get("DVC_ROOT", home)))


def existing_store(home: Path) -> StoreAddress | None:
    """Where events are kept; None where they are off, and before the service has made its file."""
    address = store_address(home)
    return None if address is None or address.missing_file else address


@contextmanager
def snapshot(address: StoreAddress) -> Iterator[Snapshot]:
    """Open the event store at an address; raise DataError where it can't be read, or is none."""
    engine = _engine(address)
    try:
        with engine.connect() as connection:
            if address.file is not None:
                # Python's driver begins a transaction at the first change, and here is none.
                connection.exec_driver_sql("BEGIN")
            yield _opened(address, connection)
    except SQLAlchemyError as error:
        raise unreadable(address, str(error.__cause__ or error)) from error
    finally:
        engine.dispose()


def unreadable(address: StoreAddress, reason: str) -> DataError:
    """Make the error of a store that can't be read; it doesn't show the password."""
    return DataError(
        f"the event store {address} can't be read ({' '.join(reason.split())[:300]}): start it or "
        "correct EVENTS_URL, or set fetch.events to false in params.yaml to train without events"
    )


def seconds(moment: datetime | float) -> int:
    """A time of the store, which SQLite keeps as a number, in whole seconds since 1970.

    Raises DataError for a time that no service has written.
    """
    time = moment.timestamp() if isinstance(moment, datetime) else moment
    if not abs(time) < LATEST:
        raise DataError(f"the event store holds the time {time}, which is not a time: correct or delete that event")
    return int(time)


def _engine(address: StoreAddress) -> Engine:
    if address.file is not None:
        return create_engine("sqlite://", creator=lambda: sqlite3.connect(address.file))
    import psycopg

    # The driver reads the address as it does in the service. Everything that is read is of one moment, so no event
    # before `until` is missing.
    connect = partial(psycopg.connect, address.url, connect_timeout=CONNECT_WITHIN_SECONDS)
    return create_engine("postgresql+psycopg://", creator=connect, isolation_level="REPEATABLE READ")


def _opened(address: StoreAddress, connection: Connection) -> Snapshot:
    store = connection.execute(select(_STORE.c.id)).scalar_one()
    first, last = connection.execute(select(func.min(_EVENT.c.position), func.max(_EVENT.c.position))).one()
    return Snapshot(address, str(store), first or 0, last or 0, connection)
