"""A store that can't be used ends in one sentence, at once."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from training.errors import TrackingError
from training.tracking import connection
from training.tracking.connection import connect, mlflow_errors


@pytest.fixture
def database(tmp_path: Path, empty_store: Path) -> Path:
    """MLflow's, in a project's folder."""
    return Path(shutil.copy(empty_store, tmp_path / "mlflow.db"))


def assert_refused(database: Path, reason: str) -> None:
    with pytest.raises(TrackingError, match=rf"mlflow\.db can't be used \({reason}.*everything trained is kept"):
        connect(database.parent, "experiment")


def test_a_file_that_is_no_database(database: Path) -> None:
    database.write_bytes(b"no database" * 1000)
    assert_refused(database, r"file is not a database\): put back a copy of it, or move it away")


def test_a_database_that_was_cut(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)
    assert_refused(database, ".*malformed|.*invalid page number|.*never used")


def test_a_database_with_damaged_pages(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(database.stat().st_size // 4)
        file.write(b"\xff" * 50_000)
    assert_refused(database, "")


def test_a_folder_in_its_place(database: Path) -> None:
    database.unlink()
    database.mkdir()
    assert_refused(database, "unable to open database file")


def test_a_locked_database(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_WITHIN_SECONDS", 0.1)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert_refused(database, r"database is locked\): end the program that uses it")


def test_a_database_that_fails_later(database: Path) -> None:
    client = connect(database.parent, "experiment")
    os.truncate(database, 4096)
    with (
        pytest.raises(TrackingError, match=r"^MLflow at sqlite.* failed: .*models/ and reports/ are kept$"),
        mlflow_errors(),
    ):
        client.create_experiment("another")


def test_a_database_of_a_later_mlflow(database: Path) -> None:
    with closing(sqlite3.connect(database)) as later:
        later.execute("UPDATE alembic_version SET version_num = 'later'")
        later.commit()
    with pytest.raises(TrackingError, match=r"^MLflow at sqlite.* failed: .*models/ and reports/ are kept$"):
        connect(database.parent, "experiment")
