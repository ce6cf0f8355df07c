"""What only the store in a file does."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.events.rows import Exposure, Impression
from app.events.sqlite_store import SqliteStore
from app.events.sqlite_tables import VERSION, make_tables
from app.events.store import EventStoreError
from tests.app.events.stories import NOW, said


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


@pytest.mark.parametrize("former_version", [1, 2, 3])
def test_a_file_of_an_earlier_release_gets_new_tables_and_keeps_events_and_positions(
    tmp_path: Path, former_version: int
) -> None:
    store = SqliteStore(tmp_path / "events.db")
    store.append([said(42, "like", 1), said(42, "hide", 2)], NOW)
    store_id, [first, _] = store.id, store.read_after(0, 9)
    store.close()
    with closing(sqlite3.connect(tmp_path / "events.db")) as file, file:
        former = FORMER_EVENT if former_version < 3 else FORMER_EVENT.replace(LIST_OF_TYPES, "")
        for statement in former.split(";"):
            file.execute(statement)
        file.execute("DELETE FROM event WHERE position = 2")  # as where a user is forgotten
        if former_version == 1:
            file.execute("DROP TABLE exposure")
        file.execute(f"PRAGMA user_version = {former_version}")
    store.add([Exposure("2026-11-28", "42", "films:7@0.5", 1, "7", 1, 10)])
    assert (store.read_after(0, 9), store.id) == ([first], store_id)
    assert store.append([said(42, "play", 3, 0.8)], NOW).positions == [3]
    store.close()


def test_tables_that_another_process_has_just_made_stay(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as connection:
        make_tables(connection)
        tables = connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
        make_tables(connection)
        assert connection.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall() == tables


def test_a_file_without_placements_takes_them_and_keeps_changes_of_films(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    change = replace(said(42, "change", 1), body="{}")
    store.append([said(42, "like", 1), change], NOW)
    before = store.read_after(0, 9)
    store.close()
    with closing(sqlite3.connect(tmp_path / "events.db")) as file, file:
        [table] = file.execute("SELECT sql FROM sqlite_master WHERE name = 'event'").fetchone()
        file.execute("ALTER TABLE event RENAME TO another")
        file.execute(table.replace("type IN ('change', 'placement')", "type = 'change'"))
        file.execute("INSERT INTO event SELECT * FROM another")
        file.execute("DROP TABLE another")
        file.execute("CREATE INDEX event_of_user ON event (user_id, position)")
        file.execute("CREATE INDEX change_of_item ON event (item_id, position) WHERE type = 'change'")
        _make_former(file, 6)
    placement = replace(said("ann", "placement", "home"), body="{}")
    assert store.append([placement], NOW).positions == [3]
    assert store.read_after(0, 9)[:2] == before
    assert [each.type for each in store.read_changes_after(0, 9)] == ["change", "placement"]
    store.close()


@pytest.mark.parametrize("former_version", [6, 7])
def test_a_file_without_odds_takes_them_and_keeps_what_was_shown(tmp_path: Path, former_version: int) -> None:
    store = SqliteStore(tmp_path / "events.db")
    before = Impression("2026-11-28", "list", "1", "ann", 1)
    store.add([before])
    store.append([said(42, "like", 1)], NOW)
    events = store.read_after(0, 9)
    store.close()
    with closing(sqlite3.connect(tmp_path / "events.db")) as file, file:
        _make_former(file, former_version)
    explored = Impression("2026-11-28", "list", "2", "ann", 2, odds=0.25, among='["1", "2"]')
    store.add([explored])
    assert store.personal_data("ann").impressions == [before, explored]
    assert store.read_after(0, 9) == events
    store.close()


def _make_former(file: sqlite3.Connection, version: int) -> None:
    for column in ("odds", "among"):
        file.execute(f"ALTER TABLE impression DROP COLUMN {column}")
    file.execute(f"PRAGMA user_version = {version}")


def test_a_file_without_verdicts_takes_them(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    store.append([said(42, "like", 1)], NOW)
    events = store.read_after(0, 9)
    store.close()
    with closing(sqlite3.connect(tmp_path / "events.db")) as file, file:
        file.execute("DROP TABLE verdict")
        file.execute(f"PRAGMA user_version = {VERSION - 1}")
    assert (store.verdicts(), store.read_after(0, 9)) == ([], events)
    store.close()


LIST_OF_TYPES = " CHECK (type IN ('rating', 'like', 'dislike', 'watch', 'click', 'hide', 'retract', 'forget'))"
FORMER_EVENT = """
DROP INDEX event_of_user;
DROP INDEX edit;
ALTER TABLE event RENAME TO another;
CREATE TABLE event (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  item_id TEXT CHECK (length(item_id) BETWEEN 1 AND 200),
  type TEXT NOT NULL CHECK (type IN ('rating', 'like', 'dislike', 'watch', 'click', 'hide', 'retract', 'forget')),
  value REAL CHECK ((type = 'rating') = (value IS NOT NULL) AND (value IS NULL OR value BETWEEN 0.5 AND 5)),
  occurred_at REAL NOT NULL,
  received_at REAL NOT NULL,
  recommendation_id TEXT CHECK (length(recommendation_id) <= 64),
  CHECK ((type = 'forget') = (item_id IS NULL))
) STRICT;
INSERT INTO event SELECT position, event_id, user_id, item_id, type, value, occurred_at, received_at, recommendation_id
FROM another;
DROP TABLE another;
CREATE INDEX event_of_user ON event (user_id, position)
"""


def delete(file: Path) -> None:
    file.unlink()


def put_another(file: Path) -> None:
    another = SqliteStore(file.parent / "another.db")
    another.latest()
    another.close()
    (file.parent / "another.db").rename(file)


@pytest.mark.parametrize("harm", [delete, put_another])
@pytest.mark.parametrize("is_open", [True, False])
def test_nothing_is_stored_once_the_file_was_deleted_or_replaced(
    tmp_path: Path, harm: Callable[[Path], None], is_open: bool
) -> None:
    file = tmp_path / "events.db"
    store = SqliteStore(file)
    store.append([said(42, "like", 1)], NOW)
    if not is_open:  # as after an error
        store.close()
    harm(file)
    calls = [
        lambda: store.append([said(42, "like", 2)], NOW),
        lambda: store.add([Exposure("2026-11-28", "42", "films:7@0.5", 1, "7", 1, 10)]),
        store.latest,
    ]
    for call in calls * 2:
        with pytest.raises(
            EventStoreError, match=rf"The events in {file} can't .*: the file was deleted or replaced\."
        ):
            call()
    assert file.exists() == (harm is put_another)
    store.close()


def test_every_commit_is_forced_to_the_disk(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    with store._connected() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
