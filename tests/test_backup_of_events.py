"""Backup and restore with a real PostgreSQL; a stand-in for Docker runs what containers would run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.events.postgres_store import PostgresStore
from tests.app.events.test_store import NOW, event
from tests.postgres import PASSWORDS, PROGRAMS, Postgres, postgres
from tests.processes import PROJECT

pytestmark = pytest.mark.long

# docker compose VERB OPTIONS SERVICE COMMAND
DOCKER = """#!/bin/sh
shift
verb=$1
shift
while [ "${1#-}" != "$1" ]; do shift; done
case "$verb ${1:-}" in
"run events-database") cd "$PROJECT" && PGDATABASE=postgres exec "$PYTHON" -m deploy.events ;;
"run mlflow") shift 2; [ "$1" = --list ] || shift; exec tar --directory="$FOLDER/artifacts" "$@" ;;
"exec postgres") shift; exec "$@" ;;
esac
"""


class Deployment:
    """A server with the databases `mlflow` and `events`, and the scripts."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        self.server, self._folder, self.backup = server, folder, folder / "backup"
        (folder / "bin").mkdir()
        (folder / "bin" / "docker").write_text(DOCKER)
        (folder / "bin" / "docker").chmod(0o755)
        (folder / "artifacts").mkdir()

    def run(self, script: str, *arguments: str) -> tuple[int, str]:
        """Exit code and errors of a script."""
        environment = {
            **os.environ,
            **self.server.environment(),
            **{f"{role.upper()}_PASSWORD": password for role, password in PASSWORDS.items()},
            "PATH": os.pathsep.join([str(self._folder / "bin"), str(PROGRAMS), os.environ["PATH"]]),
            "PYTHON": sys.executable,
            "PROJECT": str(PROJECT),
            "FOLDER": str(self._folder),
        }
        command = ["sh", str(PROJECT / "scripts" / f"{script}.sh"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with postgres(tmp_path / "postgres") as server:
        server.execute("CREATE ROLE mlflow SUPERUSER LOGIN")
        server.execute("CREATE DATABASE mlflow OWNER mlflow")
        assert server.make_database().returncode == 0
        yield Deployment(server, tmp_path)


@pytest.fixture
def store(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresStore]:
    monkeypatch.setattr("app.events.postgres_store.TIMEOUTS", "")  # a busy machine may take longer than they allow
    monkeypatch.setattr("app.events.postgres_store.TIMEOUT_SECONDS", 100)
    store = PostgresStore(deployment.server.url("events_service"))
    yield store
    store.close()


def users(store: PostgresStore) -> list[str]:
    store.close()  # the database may be another one by now
    return [each.user_id for each in store.read_after(0, 100)]


def test_a_restore_brings_the_events_of_the_backup_with_a_new_id(deployment: Deployment, store: PostgresStore) -> None:
    store.append([event("before")], NOW)
    before = store.id
    assert deployment.run("backup", str(deployment.backup))[0] == 0
    store.append([event("after")], NOW)
    assert deployment.run("restore", str(deployment.backup))[0] == 0
    assert users(store) == ["before"]
    assert store.id != before
    store.append([event("later")], NOW)
    assert users(store) == ["before", "later"]


def test_a_backup_is_restored_where_there_was_no_database_of_events(
    deployment: Deployment, store: PostgresStore
) -> None:
    store.append([event("before")], NOW)
    assert deployment.run("backup", str(deployment.backup))[0] == 0
    store.close()
    deployment.server.execute("DROP DATABASE events")
    for role in (*PASSWORDS, "events_owner"):
        deployment.server.execute(f"DROP ROLE {role}")
    assert deployment.run("restore", str(deployment.backup))[0] == 0
    assert users(store) == ["before"]
    [[grantees]] = deployment.server.execute("SELECT datacl::text FROM pg_database WHERE datname = 'events'")
    assert all(f"{role}=c/" in str(grantees) for role in PASSWORDS)
    assert not str(grantees).startswith(("{=", ",="))


def test_a_damaged_backup_of_events_changes_nothing(deployment: Deployment, store: PostgresStore) -> None:
    store.append([event("before")], NOW)
    assert deployment.run("backup", str(deployment.backup))[0] == 0
    dump = deployment.backup / "events.dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    store.append([event("after")], NOW)
    before = store.id
    code, errors = deployment.run("restore", str(deployment.backup))
    assert code == 1
    assert errors.endswith("events.dump is damaged: nothing was changed.\n")
    assert (users(store), store.id) == (["before", "after"], before)


def test_a_backup_from_before_there_were_events_leaves_them_alone(deployment: Deployment, store: PostgresStore) -> None:
    store.append([event("now")], NOW)
    before = store.id
    assert deployment.run("backup", str(deployment.backup))[0] == 0
    (deployment.backup / "events.dump").unlink()
    assert deployment.run("restore", str(deployment.backup))[0] == 0
    assert (users(store), store.id) == (["now"], before)
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "mlflow"'):
        psycopg.connect(deployment.server.url("events_service", "mlflow"))
