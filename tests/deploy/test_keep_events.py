"""The job that deletes events, on both kinds of store."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.rows import Answer, Exposure, Impression
from app.events.store import EventStore
from deploy.keep_events import keep, main
from tests.app.events.test_store import event
from tests.processes import PROJECT, free_port

NOW, DAY = time.time(), 86_400
AGO = {days: NOW - days * DAY for days in (0, 9, 11)}


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The addresses of one store, for the service and for the job."""
    if request.param == "sqlite":
        return (f"sqlite:///{tmp_path}/events.db",) * 2
    server = request.getfixturevalue("events_database")
    return server.url("events_service"), server.url("events_keeper")


@pytest.fixture
def store(urls: tuple[str, str]) -> Iterator[EventStore]:
    store = open_store(StoreAddress(urls[0]))
    yield store
    store.close()


def left(store: EventStore) -> list[tuple[str, str]]:
    return [(each.user_id, each.type) for each in store.read_after(0, 100)]


def test_what_a_forgotten_user_said_is_deleted_and_the_wish_and_what_came_later_stay(
    store: EventStore, urls: tuple[str, str]
) -> None:
    wish = ("42", None)
    store.append([event("42"), event("1"), event(*wish, type="forget"), event("42", type="hide")], NOW)
    assert keep(StoreAddress(urls[1]), None) == (1, 0)
    assert left(store) == [("1", "like"), ("42", "forget"), ("42", "hide")]
    store.append([event(*wish, type="forget")], NOW)
    assert keep(StoreAddress(urls[1]), None) == (1, 0)
    assert left(store) == [("1", "like"), ("42", "forget"), ("42", "forget")]
    assert keep(StoreAddress(urls[1]), None) == (0, 0)


def test_old_events_are_deleted_but_neither_wishes_nor_the_last_event(store: EventStore, urls: tuple[str, str]) -> None:
    store.append([event("old"), event("gone", None, type="forget")], AGO[11])
    store.append([event("young")], AGO[9])
    assert keep(StoreAddress(urls[1]), 10) == (0, 1)
    assert left(store) == [("gone", "forget"), ("young", "like")]
    last = store.latest()
    assert keep(StoreAddress(urls[1]), 1) == (0, 0)
    assert store.latest() == last


def test_without_a_number_of_days_events_are_kept(store: EventStore, urls: tuple[str, str]) -> None:
    store.append([event("old"), event("young")], AGO[11])
    assert keep(StoreAddress(urls[1]), None) == (0, 0)


def test_what_was_shown_goes_with_forgotten_users_and_after_90_days_or_as_many_as_are_set(
    store: EventStore, urls: tuple[str, str]
) -> None:
    store.append([event("42"), event("42", None, type="forget"), event("1")], NOW)
    days = {user: (date.today() - timedelta(ago)).isoformat() for user, ago in (("42", 0), ("1", 89), ("old", 91))}
    store.add([Exposure(day, user, "films:7@0.5", 0, "5", 1, 10) for user, day in days.items()])
    store.add([Impression(day, user, "10", user, 1) for user, day in days.items()])
    store.add([Answer(day, user, user, 0.5, "[]", 1, None, "popular") for user, day in days.items()])

    def held() -> dict[str, tuple[int, int, int]]:
        data = {user: store.personal_data(user) for user in days}
        return {user: (len(each.exposures), len(each.impressions), len(each.answers)) for user, each in data.items()}

    keep(StoreAddress(urls[1]), None)
    assert held() == {"42": (0, 0, 0), "1": (1, 1, 1), "old": (0, 0, 0)}
    keep(StoreAddress(urls[1]), None, shown_days=80)
    assert held()["1"] == (1, 0, 0)


def test_what_no_training_has_read_is_spared(store: EventStore, urls: tuple[str, str], tmp_path: Path) -> None:
    positions = store.append([event("read"), event("unread"), event("last")], AGO[11]).positions
    learned = tmp_path / "until.json"
    assert keep(StoreAddress(urls[1]), 10, learned) == (0, 0)
    learned.write_text(json.dumps({"store": "another", "until": positions[2]}))
    assert keep(StoreAddress(urls[1]), 10, learned) == (0, 0)
    learned.write_text(json.dumps({"store": store.id, "until": positions[0]}))
    assert keep(StoreAddress(urls[1]), 10, learned) == (0, 1)
    assert [user for user, _ in left(store)] == ["unread", "last"]


def test_daily_it_goes_on_until_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, slept = tmp_path / "events.db", []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            file.write_bytes(b"no database")

    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{file}")
    monkeypatch.setattr("sys.argv", ["keep_events", "--daily"])
    monkeypatch.setattr(time, "sleep", sleep)
    with pytest.raises(SystemExit, match="Nothing more was deleted: "):
        main()
    assert slept == [DAY, DAY]


def run(**variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "deploy.keep_events"]
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def test_the_command_says_what_it_has_deleted(tmp_path: Path) -> None:
    done = run(EVENTS_URL=f"sqlite:///{tmp_path}/events.db", EVENTS_KEEP_DAYS="3")
    assert (done.returncode, done.stdout) == (0, "Deleted 0 events of forgotten users and 0 old events.\n")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"EVENTS_URL": ""}, "EVENTS_URL: it must be "),
        ({"EVENTS_URL": "off"}, "EVENTS_URL is off: name the store to delete from."),
        ({"EVENTS_URL": "sqlite:////absent/events.db"}, "Nothing more was deleted: The events in /absent/events.db"),
        ({"EVENTS_URL": f"postgresql://k:secret@127.0.0.1:{free_port()}/e"}, "Nothing more was deleted: The events"),
        pytest.param(
            {"EVENTS_KEEP_DAYS": "0"},
            "EVENTS_KEEP_DAYS must be a whole number of days, 1 or more, not '0'.",
            marks=pytest.mark.long,
        ),
        ({"IMPRESSIONS_KEEP_DAYS": "x"}, "IMPRESSIONS_KEEP_DAYS must be a whole number of days, 1 or more, not 'x'."),
        pytest.param(
            {"EVENTS_KEEP_DAYS": "1.5"},
            "EVENTS_KEEP_DAYS must be a whole number of days, 1 or more, not '1.5'.",
            marks=pytest.mark.long,
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(variables: dict[str, str], said: str) -> None:
    done = run(**variables)
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr
