"""Brings own data from a database: any address that SQLAlchemy knows, with a driver that is installed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from training.data.own import check
from training.data.raw.layouts import OWN
from training.data.written import write_rows
from training.errors import DataError
from training.params.catalogue import CatalogueParams
from training.params.fetch import Queries

VARIABLE = "SOURCE_URL"
ROWS_AT_ONCE = 10_000


def copy_answers(queries: Queries, folder: Path, catalogue: CatalogueParams) -> None:
    """Write what the queries answer as own files, at one moment where the database can; check them.

    The answers come by a cursor of the server where the driver has one, so none is held in memory whole. Raises
    DataError.
    """
    address = _address()
    wanted = {
        OWN.ratings: ("ratings", queries.ratings),
        OWN.items: ("items", queries.items),
        str(OWN.users): ("users", queries.users),
    }
    origins = {}
    with _connected(address) as connection:
        for file, (name, query) in wanted.items():
            if query is not None:
                origins[file] = f"the answer of fetch.sql.{name}"
                with _told(address, f"fetch.sql.{name} can't be answered by"):
                    _write(connection, query, folder / file)
    check(folder, catalogue, {}, origins)


def _write(connection: Connection, query: str, path: Path) -> None:
    options = {"yield_per": ROWS_AT_ONCE, "no_parameters": True}  # so that % in a query is a plain sign
    with connection.exec_driver_sql(query, execution_options=options) as answer:
        write_rows(path, list(answer.keys()), (tuple(row) for row in answer))


def _address() -> URL:
    try:
        address = make_url(os.environ.get(VARIABLE, ""))
    except (ArgumentError, ValueError) as error:
        raise DataError(
            f"{VARIABLE} in the environment is not a database's address: fetch.source sql needs one such as "
            "postgresql://user:password@host/database"
        ) from error
    return address.set(drivername="postgresql+psycopg") if address.drivername == "postgresql" else address


@contextmanager
def _connected(address: URL) -> Iterator[Connection]:
    try:
        engine = create_engine(address)
    except (NoSuchModuleError, ImportError) as error:
        raise DataError(f"{VARIABLE} needs a driver that isn't installed ({error}): install it") from error
    try:
        with _told(address, "can't connect to"), engine.connect() as connection:
            if engine.dialect.name in ("postgresql", "mysql", "mariadb"):
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _told(address: URL, what: str) -> Iterator[None]:
    """Turn the database's error into a DataError that doesn't show the password."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = " ".join(str(error.__cause__ or error).split())[:300]
        raise DataError(
            f"{what} {address.render_as_string()} ({reason}): correct the query or {VARIABLE}, and run again"
        ) from error
