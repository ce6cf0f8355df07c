"""The `events` stage on Spark: executors read one snapshot of PostgreSQL by JDBC, and write the same files."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
from psycopg import Connection, ConnectionInfo
from sqlalchemy import func, select

from training import events as embedded
from training.data.events.files import ranges, write_events, write_file
from training.data.events.snapshot import Snapshot, unreadable
from training.errors import DataError
from training.params.fetch import FetchParams
from training.params.spark import SparkParams
from training.project import Project
from training.spark.session import jdbc_jar, session

DRIVER = "org.postgresql.Driver"
ROWS_AT_A_TIME = 10_000
# libpq's parameters that change what is read, or from whom; pgjdbc knows them by the same names.
SAME_NAMES = ("options", "sslmode", "sslrootcert", "sslcert", "sslkey")
WITH_CAUSES = "spark.sql.pyspark.jvmStacktrace.enabled"
REASON = re.compile(r"org\.postgresql\.util\.PSQLException: (.*)")


def events(project: Project, params: FetchParams, spark_params: SparkParams) -> str:
    """Do what `training.events.events` does, but read the events of PostgreSQL, if there are any, in executors."""
    return embedded.events(params, project.events, project.root, partial(in_executors, project, spark_params))


def in_executors(project: Project, params: SparkParams, store: Snapshot, folder: Path) -> int:
    """Write what `write_events` writes, in a folder that executors share: a task and a connection for each file.

    SQLite is read here, as other machines don't have its file. Raises DataError where the driver for Java is missing,
    or executors can't read the store.
    """
    if store.address.file is not None:
        return write_events(store, folder)
    check_driver()
    address, options = address_for_java(store), options_of(store)
    files = [f"position BETWEEN {first} AND {last}" for first, last in ranges(store)]
    with session(project, params) as spark:
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import PySparkException

        try:
            spark.conf.set(WITH_CAUSES, "true")  # else an error that Spark translates lacks what PostgreSQL said
            said = spark.read.jdbc(address, f"({query_of(store)}) AS said", predicates=files, properties=options)
            written = said.mapInArrow(partial(write, folder.resolve()), "events long").collect()
        except (Py4JJavaError, PySparkException) as error:
            if reason := REASON.search(str(error)):
                raise unreadable(store.address, reason[1]) from error
            raise
    return sum(row["events"] for row in written)


def check_driver() -> None:
    """Raise DataError where Java's driver of PostgreSQL is missing."""
    if not jdbc_jar().is_file():
        raise DataError(
            f"Spark reads PostgreSQL's events by JDBC, and its driver {jdbc_jar()} doesn't exist: "
            "apt-get install libpostgresql-jdbc-java, or name the file postgresql-….jar in JDBC_JAR"
        )


def address_for_java(store: Snapshot) -> str:
    """The very server that the snapshot is of, of those that EVENTS_URL may name; DataError for a Unix socket."""
    server = _server(store)
    if not server.host or server.host.startswith(("/", "@")):
        raise DataError(
            "Spark's workers can't use a Unix socket: name the host of the database in EVENTS_URL, such as "
            "postgresql://user:password@host/events"
        )
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"jdbc:postgresql://{host}:{server.port}/{quote(server.dbname, safe='')}"


def options_of(store: Snapshot) -> dict[str, str]:
    """How executors log in and see what the open snapshot sees; Spark shows no value that is called password."""
    server, given = _server(store), _server(store).get_parameters()
    exported = store.connection.execute(select(func.pg_export_snapshot())).scalar_one()
    return {
        "driver": DRIVER,
        # Without it each statement would be a transaction of its own, and the snapshot would end with the first.
        "fetchsize": str(ROWS_AT_A_TIME),
        "sessionInitStatement": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
        f"SET TRANSACTION SNAPSHOT '{exported}'",
        "user": server.user,
        **({"password": server.password} if server.password else {}),
        **{name: given[name] for name in SAME_NAMES if name in given},
    }


def query_of(store: Snapshot) -> str:
    """The query of the embedded stage as text."""
    query = store.query(store.first, store.until).order_by(None)
    return str(query.compile(dialect=store.connection.dialect, compile_kwargs={"literal_binds": True}))


def _server(store: Snapshot) -> ConnectionInfo:
    """What libpq knows of the open connection, whether from EVENTS_URL, its own variables or its files."""
    connection = store.connection.connection.driver_connection
    assert isinstance(connection, Connection)  # noqa: S101 - the dialect is psycopg's
    return connection.info


def write(folder: Path, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Write a file of the events that come in; give their count back."""
    rows = sorted(tuple(row.values()) for batch in batches for row in batch.to_pylist())
    yield pa.RecordBatch.from_pydict({"events": [write_file(rows, folder)]})
