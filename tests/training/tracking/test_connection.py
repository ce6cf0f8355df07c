"""A store that can't be used ends in one sentence, at once."""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from training.errors import CollisionError, TrackingError
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


@pytest.mark.long
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


def test_files_are_beside_the_database_and_a_database_may_be_in_a_new_folder(database: Path, tmp_path: Path) -> None:
    client = connect(database.parent, "experiment")
    assert client.get_experiment_by_name("experiment").artifact_location == (tmp_path / "mlruns").as_uri()
    place = tmp_path / "a" / "new" / "mlflow.db"
    connection._check_database(place)
    assert place.exists()


def test_an_experiment_that_somebody_makes_at_the_same_time_is_used(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(database.parent, "experiment")
    found = client.get_experiment_by_name("experiment")
    with monkeypatch.context() as before:
        before.setattr(type(client), "get_experiment_by_name", lambda *_: None)
        connection._make_experiment(client, "experiment", None)
    assert client.get_experiment_by_name("experiment").experiment_id == found.experiment_id
    with pytest.raises(MlflowException, match="Invalid"):
        connection._make_experiment(client, "", None)


def test_what_two_programs_collide_in_may_be_gone_at_a_second_try_and_a_long_reason_is_cut() -> None:
    with pytest.raises(CollisionError, match="UNIQUE constraint"), mlflow_errors():
        raise OSError("(sqlite3.IntegrityError) UNIQUE constraint failed: runs.name")
    with pytest.raises(TrackingError, match=f" failed: {'x' * 500}; models/") as caught, mlflow_errors():
        raise OSError("x" * 600)
    assert type(caught.value) is TrackingError


def test_mlflow_says_nothing_of_its_own(database: Path) -> None:
    names = ("alembic", "mlflow.tracking.fluent", "mlflow.store.db.utils")
    for name in names:
        logging.getLogger(name).setLevel(logging.NOTSET)
    connect(database.parent, "experiment")
    levels = [logging.getLogger(name).level for name in names]
    assert levels == [logging.WARNING, logging.WARNING, logging.CRITICAL]
