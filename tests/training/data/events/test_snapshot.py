import math
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from app.contract.store_address import StoreAddress
from tests.postgres import Postgres
from tests.training.data.archives import fetch_params
from tests.training.event_store import NOW, Said
from training.data.events import files
from training.data.events.files import Recorded, read_events
from training.data.events.snapshot import snapshot
from training.errors import DataError
from training.events import events

PARAMS = fetch_params(events=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def said(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """The store that EVENTS_URL names, in PostgreSQL by the role that may only read."""
    if request.param == "sqlite":
        store = Said.in_file(tmp_path / "events.db")
    else:
        server: Postgres = request.getfixturevalue("events_database")
        store = Said(server.url("events_service"), server.url("events_training"))
    monkeypatch.setenv("EVENTS_URL", store.training_url)
    with store as said:
        yield said


def copied(folder: Path) -> dict[str, bytes]:
    """The files that the stage writes."""
    events(PARAMS, folder / "events", folder)
    return {path.name: path.read_bytes() for path in (folder / "events").iterdir()}


def recorded(folder: Path) -> Recorded:
    copied(folder)
    found = read_events(folder / "events")
    assert found is not None
    return found


def test_the_files_hold_what_users_said_in_the_order_of_positions(said: Said, tmp_path: Path) -> None:
    said.say("ann", 3, "like", received_at=NOW + 0.75, occurred_at=NOW - 5)
    last = said.say("bob", 4, "rating", 2.5)
    found = recorded(tmp_path)
    assert (found.learned.store, found.learned.until) == (said.store.id, last)
    assert found.rows.replace({float("nan"): None}).to_numpy().tolist() == [
        [1, "ann", "3", "like", None, NOW - 5, NOW],
        [2, "bob", "4", "rating", 2.5, NOW, NOW],
    ]


def test_the_same_events_give_the_same_bytes_and_a_new_one_changes_the_last_file_alone(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "EVENTS_PER_FILE", 10)
    said.say("ann", 3, "watch", times=25)
    first = copied(tmp_path)
    assert sorted(first) == [f"events-0000{number}.parquet" for number in range(3)] + ["until.json"]
    assert copied(tmp_path) == first
    said.say("ann", 3, "like")
    changed = copied(tmp_path)
    assert {name for name in first if changed[name] != first[name]} == {"events-00002.parquet", "until.json"}
    rows = recorded(tmp_path).rows
    assert (rows["position"].tolist(), rows.index.tolist()) == (list(range(1, 27)), list(range(26)))


def test_of_a_forgotten_user_only_the_wish_and_what_follows_are_left(said: Said, tmp_path: Path) -> None:
    for what in ("like", "forget", "watch", "forget", "dislike"):
        said.say("ann", None if what == "forget" else 3, what)
    said.say("bob", 3, "like")
    rows = recorded(tmp_path).rows
    assert list(zip(rows["user_id"], rows["type"], strict=True)) == [
        ("ann", "forget"), ("ann", "dislike"), ("bob", "like")
    ]  # fmt: skip


def test_a_store_without_events_is_as_good_as_none(said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTS_URL", said.training_url)
    folder = tmp_path / "events"
    events(PARAMS.model_copy(update={"events": False}), folder, tmp_path)
    before = (folder / "until.json").read_bytes()
    assert said.store.latest() == 0
    assert events(PARAMS, folder, tmp_path) == f"none yet in store {said.store.id}"
    assert (folder / "until.json").read_bytes() == before
    assert read_events(folder) is None


@pytest.mark.parametrize(
    ("wanted", "url", "sentence"),
    [
        (False, "sqlite:///nowhere.db", "none, as fetch.events is false"),
        (True, "off", "none, as EVENTS_URL is off"),
        (True, "", "none yet, as .*/events.db doesn't exist: .*; EVENTS_URL names another"),
        (True, "sqlite:///nowhere.db", "none yet, as .*/nowhere.db doesn't exist"),
    ],
)
def test_without_a_store_there_are_no_events_and_the_reason_is_said(
    wanted: bool, url: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", url)
    said = events(PARAMS.model_copy(update={"events": wanted}), tmp_path / "events", tmp_path)
    assert re.match(sentence, said)
    assert [file.name for file in (tmp_path / "events").iterdir()] == ["until.json"]
    assert read_events(tmp_path / "events") is None


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://somewhere/events", "EVENTS_URL: it must be "),
        ("postgresql://me:secret/@127.0.0.1/events", "EVENTS_URL: it must be"),
        ("postgresql://me:secret@127.0.0.1:99999/events", r"me:\*\*\*@127.0.0.1:99999/events can't be read .*port"),
        ("sqlite:///empty.db", r"empty.db can't be read \(no such table: store\)"),
        ("postgresql://me:secret@127.0.0.1:1/events", r"postgresql://me:\*\*\*@127.0.0.1:1/events can't be read"),
    ],
)  # fmt: skip
def test_a_store_that_cannot_be_read_is_named_without_its_password(
    url: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "until.json").touch()
    monkeypatch.setenv("EVENTS_URL", url)
    with pytest.raises(DataError, match=sentence) as caught:
        events(PARAMS, tmp_path / "events", tmp_path)
    assert "secret" not in str(caught.value)
    assert (tmp_path / "events" / "until.json").is_file()


def changed(folder: Path, change: str, value: float) -> None:
    """A store in a file, with two events of which somebody has changed the second."""
    with Said.in_file(folder / "events.db") as said:
        said.say("ann", 3, "like", times=2)
    with closing(sqlite3.connect(folder / "events.db")) as store:
        store.execute(f"{change} WHERE position = 2", [value])
        store.commit()


def test_a_gap_between_positions_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(tmp_path, "UPDATE event SET position = ?", 10**12)
    with snapshot(StoreAddress(f"sqlite:///{tmp_path}/events.db")) as store:
        assert files.ranges(store) == [(0, 99_999), (10**12, 10**12 + 99_999)]
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/events.db")
    assert recorded(tmp_path).rows["position"].tolist() == [1, 10**12]


@pytest.mark.parametrize("time", [math.inf, -math.inf, 1e300])
def test_a_time_that_is_none_is_named(time: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(tmp_path, "UPDATE event SET occurred_at = ?", time)
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/events.db")
    with pytest.raises(DataError, match=r"the event store holds the time (-?inf|1e\+300), which is not a time"):
        events(PARAMS, tmp_path / "events", tmp_path)


@pytest.mark.parametrize("content", ['{"shop": "x", "until": 3}', '{"store": "x"}', '{"store": 1, "until": 2}', "[1]"])
def test_a_file_that_does_not_say_what_was_learned_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "until.json").write_text(content)
    with pytest.raises(DataError, match=r"until.json holds .*; run: dvc repro events"):
        read_events(tmp_path)


def test_a_file_with_other_columns_is_named(said: Said, tmp_path: Path) -> None:
    said.say("ann", 3, "like")
    copied(tmp_path)
    file = tmp_path / "events" / "events-00000.parquet"
    rows = pd.read_parquet(file)
    for other in (rows.drop(columns="type"), rows.astype({"received_at": float})):
        other.to_parquet(file)
        with pytest.raises(DataError, match=r"events-00000.parquet has other columns than events: .*; run: dvc repro"):
            read_events(tmp_path / "events")


@pytest.mark.parametrize("url", ["", "sqlite:///events.db"])
def test_an_experiment_in_a_folder_of_its_own_reads_the_project_s_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with Said.in_file(tmp_path / "events.db") as said:
        said.say("ann", 3, "like")
    monkeypatch.setenv("EVENTS_URL", url)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    queued = tmp_path / "queued"
    assert "1 until number 1" in events(PARAMS, queued / "data" / "events", queued)


def test_what_is_said_during_the_reading_is_left_for_the_next_time(said: Said, tmp_path: Path) -> None:
    said.say("ann", 3, "like")
    with snapshot(StoreAddress(said.training_url)) as store:
        said.say("ann", 4, "like")
        said.say("ann", None, "forget")
        assert (store.until, len(store.rows(0, 100))) == (1, 1)


def test_a_damaged_file_is_named_with_the_remedy(said: Said, tmp_path: Path) -> None:
    said.say("ann", 3, "like")
    copied(tmp_path)
    (tmp_path / "events" / "events-00000.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"events-00000.parquet can't be read .*; run: dvc repro events"):
        read_events(tmp_path / "events")
