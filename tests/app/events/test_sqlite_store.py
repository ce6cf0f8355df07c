"""What only the store in a file does."""

import sqlite3
from pathlib import Path

import pytest

from app.events.sqlite_store import VERSION, SqliteStore
from app.events.store import EventStoreError


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "absent" / "events.db"
    with pytest.raises(EventStoreError, match=rf"The events in {file} can't be read or written: unable to open"):
        SqliteStore(file).latest()


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    file.write_bytes(b"no database at all, but a long enough text" * 100)
    before = file.read_bytes()
    with pytest.raises(EventStoreError, match="not a database"):
        SqliteStore(file).latest()
    assert file.read_bytes() == before


def test_tables_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    newer = sqlite3.connect(file)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    with pytest.raises(EventStoreError, match=f"has tables of version {VERSION + 1}, and this program knows"):
        SqliteStore(file).latest()


def test_every_commit_is_forced_to_the_disk(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    with store._connected() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
