"""Items that come, change and go at once, on every route, and on both kinds of store."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from app.contract.artifact import Artifact
from app.contract.catalogue import Catalogue
from app.contract.item_fold_in import ItemFoldIn
from app.contract.merged_catalogue import merged_catalogue
from app.main import create_app
from app.model import revision
from app.model.registered_version import RegisteredVersion
from app.model.store import load_model
from app.settings import Settings
from tests.app.conftest import FILMS, ids, make_films, offline_settings
from tests.artifacts import Film, pack_films, write
from tests.client import Answer, Client, put_in_cache, serving
from tests.processes import wait_until

KEYS = {"X-API-Key": "secret-of-ann", "Content-Type": "application/json"}
# What an item of these genres gets: a vector like that of the first films, or of the last ones.
FEATURES = [{"column": "genres", "value": "Comedy"}, {"column": "genres", "value": "Horror"}]
ENCODER = np.array([[7.5, 0.5, 0], [0, 8, 0], [0, 0, 0]], dtype=np.float32)
LISTS = [
    "/users/1/recommendations?k=8",
    "/users/1/recommendations?k=8&include_seen=true",
    "/users/1/recommendations?k=8&year_from=1900",
    "/users/1/recommendations?k=8&diversity=0.5",
    "/users/2/recommendations?k=8&include_seen=true",
    "/users/3/recommendations?k=8",
    "/users/nobody/recommendations?k=3",
    "/items/popular?k=8",
    "/items/trending?k=8",
    "/items/10/similar?k=8",
    "/items?query=story",
]


class Editing:
    """A service whose catalogue may be changed."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        return self.client.get(path, method, {**KEYS, **headers}, content)

    def lists(self) -> dict[str, list[int]]:
        found = {path: ids(self.client, path) for path in LISTS}
        folded = self.client.post("/recommendations", {"liked": [10], "k": 8}).json
        batch = self.client.post("/recommendations/batch", {"user_ids": [1, "x"], "k": 8}).json["answers"]
        for name, answer in [("fold-in", folded), ("batch of 1", batch[0]), ("batch of x", batch[1])]:
            found[name] = [item["id"] for item in answer["items"]]
        return found


def with_ready_lists() -> Artifact:
    from training.refit import with_ready_lists

    films = replace(
        make_films(),
        item_encoder=ENCODER,
        item_features=FEATURES,
        fold_in_mean=np.array([2 / 3, 1 / 3], dtype=np.float32),
        item_fold_in=ItemFoldIn(kappa=30, length=1, half=2),
    )
    return with_ready_lists(films, 5, progress=False)


def settings_of(folder: Path, url: str, **fields: Any) -> Settings:
    settings = offline_settings(folder)
    keys = {"catalogue_keys": "ann:secret-of-ann, bob:secret-of-bob", "admin_token": "token"}
    values = {**settings.model_dump(), "events_url": url, **keys}
    return Settings.model_validate({**values, **fields})


@contextmanager
def replica(folder: Path, url: str, artifact: Artifact | None = None) -> Iterator[Client]:
    settings = settings_of(folder, url)
    put_in_cache(settings, write(folder / "served", artifact or with_ready_lists()), version="7")
    with serving(settings) as client:
        yield client


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        address: str = request.getfixturevalue("events_database").url("events_service")
        return address
    return f"sqlite:///{tmp_path}/events.db"


@pytest.fixture
def editing(tmp_path: Path, url: str) -> Iterator[Editing]:
    with replica(tmp_path, url) as client:
        yield Editing(client)


def test_a_withdrawn_film_is_in_no_list_and_comes_back_as_it_was(editing: Editing) -> None:
    before = editing.lists()
    assert all(30 in found for name, found in before.items() if "2/rec" in name or "include_seen" in name)
    assert editing.send("DELETE", "/items/30").status == 200
    after = editing.lists()
    assert {name for name, found in after.items() if 30 in found} == set()
    assert {name: [each for each in found if each != 30] for name, found in before.items()} == {
        name: found[: len(before[name]) - (30 in before[name])] for name, found in after.items()
    }
    assert editing.client.get("/items/30").json["available"] is False
    assert 30 in [each["id"] for each in editing.client.get("/users/2/history").json["items"]]
    assert editing.send("PATCH", "/items/30", {"withdrawn": False}).status == 200
    assert editing.lists() == before
    assert editing.client.get("/items/30").json["available"] is True


def test_a_new_film_is_ranked_by_what_its_columns_say_and_found_everywhere(editing: Editing) -> None:
    body = {"title": "Paths of Glory", "year": 1957, "genres": ["Comedy", "War"]}
    answer = editing.send("PUT", "/items/15", body)
    assert (answer.status, answer.json["item"]) == (200, body)
    found = editing.lists()
    assert found["/users/1/recommendations?k=8"][:2] == [15, 30]  # 7.5, before 6
    assert found["batch of 1"] == found["/users/1/recommendations?k=8"]
    assert found["/users/nobody/recommendations?k=3"] == [10, 20, 30]  # nobody has liked it yet
    assert found["/items/popular?k=8"] == [10, 20, 30, 40, 50, 60, 70, 80]
    assert ids(editing.client, "/items/10/similar?k=1") == [15]
    assert ids(editing.client, "/items?query=glory") == [15]
    assert ids(editing.client, "/users/1/recommendations?" + urlencode({"filter": "genres:war"})) == [15]
    item = editing.client.get("/items/15").json
    assert (item["title"], item["interactions"], item["available"]) == ("Paths of Glory", 0, True)
    liked = {"user_id": 1, "type": "like", "item_id": 15}
    assert editing.client.post("/events", {"events": [liked]}).json["accepted"] == 1
    assert 15 not in ids(editing.client, "/users/1/recommendations?k=8")
    assert editing.client.get("/users/1/history").json["items"][0]["title"] == "Paths of Glory"
    assert editing.send("DELETE", "/items/15").status == 200
    assert not any(15 in each for each in editing.lists().values())


def test_a_new_film_moves_towards_those_who_like_it_on_every_replica(
    tmp_path: Path, url: str, editing: Editing
) -> None:
    def score(client: Client) -> float:
        items = client.get("/users/4/recommendations?k=9").json["items"]
        return round(next(float(item["score"]) for item in items if item["id"] == 15), 3)

    def say(kind: str, *user_ids: object) -> None:
        events = [{"user_id": user_id, "type": kind, "item_id": 15} for user_id in user_ids]
        editing.client.post("/events", {"events": events})

    editing.send("PUT", "/items/15", {"title": "New", "genres": ["Horror"]})
    with replica(tmp_path / "other", url) as other:
        say("like", 1, 2, 3, "x")  # of 3 and x the model has learned nothing
        wait_until(lambda: score(editing.client) == score(other) == 3)  # 8 - 30 · 2/4 · 1/3
        say("retract", 1)
        wait_until(lambda: score(editing.client) == score(other) == 4.667)  # 8 - 30 · 1/3 · 1/3
        with replica(tmp_path / "third", url) as third:
            assert score(third) == 4.667
        editing.client.get("/users/2", "DELETE", {"Authorization": "Bearer token"})
        wait_until(lambda: score(editing.client) == score(other) == 8)


def test_a_change_that_memory_did_not_suffice_for_is_made_as_soon_as_it_does(
    editing: Editing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert editing.send("PUT", "/items/15", {"title": "New"}).status == 200
    faults = [MemoryError()]

    def failing(*given: Any) -> Catalogue:
        if faults:
            raise faults.pop()
        return merged_catalogue(*given)

    monkeypatch.setattr(revision, "merged_catalogue", failing)
    assert editing.send("PUT", "/items/16", {"title": "Newer"}).status == 200
    wait_until(lambda: editing.client.get("/items/16").status == 200)
    assert editing.client.get("/items/15").json["title"] == "New"


def test_what_was_said_before_a_film_is_there_counts_once_it_comes(editing: Editing) -> None:
    events = [{"user_id": user_id, "type": "like", "item_id": 15} for user_id in (1, 2)]
    answer = editing.client.post("/events", {"events": [*events, {"user_id": 1, "type": "like", "item_id": "x"}]}).json
    assert (answer["accepted"], answer["unknown_items"], answer["position"]) == (0, ["15", "x"], 2)
    assert editing.client.get("/users/1/history").json["total"] == 2
    editing.send("PUT", "/items/15", {"title": "New", "genres": ["Horror"]})
    assert editing.client.get("/users/1/history").json["items"][0]["id"] == 15
    assert 15 not in ids(editing.client, "/users/1/recommendations?k=8")
    items = editing.client.get("/users/4/recommendations?k=9").json["items"]
    assert next(item["score"] for item in items if item["id"] == 15) == 3


def test_without_an_encoder_of_features_a_new_film_is_neither_pushed_nor_lost(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"sqlite:///{tmp_path}/events.db")
    put_in_cache(settings, write(tmp_path / "served", make_films()), version="7")
    with serving(settings) as client:
        assert Editing(client).send("PUT", "/items/15", {"title": "New"}).status == 200
        assert ids(client, "/users/1/recommendations?k=8") == [30, 40, 50, 60, 70, 80, 15]


def test_what_was_learned_of_a_film_moves_with_its_genres(editing: Editing) -> None:
    def score() -> float:
        items = editing.client.get("/users/1/recommendations?k=8").json["items"]
        return next(float(item["score"]) for item in items if item["id"] == 40)

    assert score() == 5
    editing.send("PATCH", "/items/40", {"title": "Der Ring"})
    assert score() == 5
    editing.send("PATCH", "/items/40", {"genres": ["Horror", "Comedy"]})
    assert score() == 12.5
    editing.send("PATCH", "/items/40", {"genres": ["Horror"]})
    assert score() == 5


def test_title_and_columns_change_at_once(editing: Editing) -> None:
    assert editing.send("PATCH", "/items/40", {"title": "Der Ring", "genres": ["Crime"], "year": None}).status == 200
    item = editing.client.get("/items/40").json
    assert (item["title"], item["year"], item["genres"]) == ("Der Ring", None, ["Crime"])
    assert ids(editing.client, "/items?query=der+ring") == [40]
    assert ids(editing.client, "/items?query=the+ring") == []
    assert ids(editing.client, "/items/popular?genre=Horror") == [60]
    assert ids(editing.client, "/items/popular?genre=Crime") == [40, 70]
    others = {each: editing.client.get(f"/items/{each}").json["title"] for each in (10, 50, 60, 70, 80)}
    assert others == {10: "Amélie", 50: "Matrix, The", 60: "Alien³", 70: "$", 80: "Never Shown"}


def test_a_film_comes_and_goes_by_itself_in_its_time(editing: Editing) -> None:
    now = datetime.now(timezone.utc)
    window = {"available_from": now + timedelta(seconds=2), "available_until": now + timedelta(seconds=4)}
    assert editing.send("PATCH", "/items/30", {name: time.isoformat() for name, time in window.items()}).status == 200

    def is_there() -> bool:
        return 30 in ids(editing.client, "/users/1/recommendations?k=8")

    assert not is_there()
    wait_until(is_there)
    assert time.time() >= int(window["available_from"].timestamp())
    wait_until(lambda: not is_there())
    assert time.time() >= int(window["available_until"].timestamp())


def test_a_restart_and_another_replica_have_the_same_catalogue(tmp_path: Path, url: str, editing: Editing) -> None:
    editing.send("DELETE", "/items/30")
    answer = editing.send("PUT", "/items/15", {"title": "New", "genres": ["Comedy"]})
    with replica(tmp_path / "other", url) as client:
        other = Editing(client)
        assert other.lists() == editing.lists()
        withdrawn = other.send("DELETE", "/items/15").json["position"]
        path, headers = "/users/1/recommendations?k=8", {"X-Read-After": str(withdrawn)}
        wait_until(lambda: editing.client.get("/items/15").json["available"] is False)
        items = editing.client.get(path, headers=headers).json["items"]
        assert 15 not in [item["id"] for item in items]
        assert answer.json["position"] < withdrawn
        # The other one has not read this change when it makes its own: nothing is lost.
        editing.send("PATCH", "/items/20", {"year": 1996})
        other.send("PATCH", "/items/20", {"title": "Toy Story (1996)"})
        wait_until(lambda: editing.client.get("/items/20").json["title"] == "Toy Story (1996)")
        assert editing.client.get("/items/20").json["year"] == 1996
        # And it waits for what it has not read yet, where an editor says so.
        for year in range(1900, 1910):
            seen = editing.send("PATCH", "/items/20", {"year": year})
            headers = {"If-Match": seen.headers["etag"], "X-Read-After": str(seen.json["position"])}
            assert other.send("PATCH", "/items/20", {"genres": [str(year)]}, **headers).status == 200


def test_while_a_store_hangs_no_editor_waits_for_the_others(tmp_path: Path) -> None:
    with replica(tmp_path, f"sqlite:///{tmp_path}/events.db") as client:
        editing = Editing(client)
        assert editing.send("PATCH", "/items/20", {"year": 1996}).status == 200
        store = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
        store.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(6) as editors:
            started = time.monotonic()
            sent = [editors.submit(editing.send, "PATCH", "/items/20", {"year": 2000 + n}) for n in range(6)]
            assert {each.result().status for each in sent} == {503}
        assert time.monotonic() - started < 6  # one after the other, they waited for eleven seconds
        store.execute("ROLLBACK")
        store.close()
        wait_until(lambda: editing.send("PATCH", "/items/20", {"year": 1997}).status == 200)


def test_a_version_that_has_learned_a_change_does_not_make_it_again_and_a_rollback_does(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, f"sqlite:///{tmp_path}/events.db")
    put_in_cache(settings, write(tmp_path / "served", with_ready_lists()), version="7")
    app = create_app(settings)
    with serving(settings, app) as client:
        editing, store = Editing(client), app.state.parts.store
        editing.send("PATCH", "/items/40", {"genres": ["Horror", "Comedy"]})
        editing.send("DELETE", "/items/30")
        before, former = editing.lists(), store.loaded
        assert ids(client, "/users/1/recommendations?k=1") == [40]  # it has moved
        films = [Film(*film) for film in (FILMS | {40: (*FILMS[40][:2], ["Horror", "Comedy"])}).values()]
        learned = replace(with_ready_lists(), catalogue=pack_films(films))
        store.swap(load_model(write(tmp_path / "8", learned), RegisteredVersion("8", 0, "")))
        items = client.get("/users/1/recommendations?k=8").json["items"]
        assert next(item["score"] for item in items if item["id"] == 40) == 5  # as version 8 has learned it
        assert not any(30 in found for found in editing.lists().values())
        assert editing.send("GET", "/items/changes").json["changes"][1]["before"] is None
        store.swap(former)
        assert editing.lists() == before


def test_of_two_editors_the_one_who_has_not_seen_the_change_is_told(editing: Editing) -> None:
    tag = editing.client.get("/items/30").headers["etag"]
    first = editing.send("PATCH", "/items/30", {"year": 2000}, **{"If-Match": tag})
    assert first.headers["etag"] == editing.client.get("/items/30").headers["etag"] != tag
    second = editing.send("PATCH", "/items/30", {"year": 2001}, **{"If-Match": tag, "X-API-Key": "secret-of-bob"})
    assert (second.status, second.json["error"]["code"]) == (412, "item_changed")
    assert editing.send("PUT", "/items/77", {"title": "New"}, **{"If-Match": "*"}).status == 412
    assert editing.client.get("/items/30").json["year"] == 2000


def test_what_an_editor_was_not_shown_is_not_overwritten(editing: Editing, monkeypatch: pytest.MonkeyPatch) -> None:
    told = threading.Event()

    def slow(*given: Any) -> Catalogue:
        told.wait()
        return merged_catalogue(*given)

    before = editing.client.get("/items/20")
    monkeypatch.setattr(revision, "merged_catalogue", slow)
    assert editing.send("PATCH", "/items/20", {"year": 2000}).status == 200  # it is stored, and answers lag behind
    seen = editing.client.get("/items/20")
    refused = editing.send("PATCH", "/items/20", {"year": 2001}, **{"If-Match": seen.headers["etag"]})
    told.set()
    assert (seen.body, seen.headers["etag"], refused.status) == (before.body, before.headers["etag"], 503)
    wait_until(lambda: editing.client.get("/items/20").json["year"] == 2000)


def test_who_changed_what_is_listed_and_only_editors_see_it(editing: Editing) -> None:
    editing.send("PATCH", "/items/30", {"year": 2000})
    editing.send("DELETE", "/items/40", **{"X-API-Key": "secret-of-bob"})
    listed = editing.send("GET", "/items/changes").json
    assert [(each["editor"], each["id"], each["item"].get("withdrawn")) for each in listed["changes"]] == [
        ("bob", "40", True),
        ("ann", "30", None),
    ]
    assert (listed["total"], listed["changes"][1]["item"]["year"]) == (2, 2000)
    first = listed["changes"][1]
    assert first["before"] == {**first["item"], "year": first["before"]["year"]} != first["item"]
    undone = editing.send("PUT", "/items/30", first["before"], **{"If-Match": first["etag"]})
    (undo, *_) = editing.send("GET", "/items/changes").json["changes"]
    assert (undone.status, undo["item"], undo["before"]) == (200, first["before"], first["item"])
    assert editing.send("PUT", "/items/30", first["before"], **{"If-Match": first["etag"]}).status == 412
    for method, path in [("GET", "/items/changes"), ("PUT", "/items/1"), ("PATCH", "/items/1"), ("DELETE", "/items/1")]:
        assert editing.send(method, path, {"title": "x"}, **{"X-API-Key": "wrong"}).status == 401
    assert editing.send("POST", "/items", {"items": [{"id": 1, "title": "x"}]}, **{"X-API-Key": ""}).status == 401
    # Of somebody who is no editor no body is read.
    for path in ("/items", "/placements/preview"):
        assert editing.client.get(path, "POST", {"Content-Type": "application/json"}, b"{" * 2**21).status == 401


def test_many_items_are_changed_all_or_none(editing: Editing) -> None:
    items: list[dict[str, Any]] = [{"id": number, "title": f"Film {number}"} for number in range(100, 130)]
    refused = editing.send("POST", "/items", {"items": [*items, {"id": 131, "title": "x", "year": "soon"}]})
    assert (refused.status, refused.json["error"]["field"]) == (422, "items.30.year")
    assert editing.client.get("/items/100").status == 404
    assert editing.send("POST", "/items", {"items": items}).json["accepted"] == 30
    assert editing.client.get("/items/129").json["title"] == "Film 129"


@pytest.mark.parametrize(
    ("item", "body", "field"),
    [
        ("15", {"year": 1957}, "title"),
        ("15", {"title": ""}, "title"),
        ("15", {"title": "x" * 1001}, "title"),
        ("15", {"title": "a\0b"}, "title"),
        ("15", {"title": "a\ud800"}, "title"),
        ("15", {"title": "x", "yaer": 1957}, "yaer"),
        ("15", {"title": "x", "year": "1957"}, "year"),
        ("15", {"title": "x", "year": True}, "year"),
        ("15", {"title": "x", "year": {"a": 1}}, "year"),
        ("15", {"title": "x", "genres": "War"}, "genres"),
        ("15", {"title": "x", "genres": ["War|Drama"]}, "genres"),
        ("15", {"title": "x", "genres": ["x" * 201]}, "genres"),
        ("15", {"title": "x", "genres": ["x"] * 101}, "genres"),
        ("15", {"title": "x", "available_from": "soon"}, "available_from"),
        ("15", {"title": "x", "available_from": "2026-01-02", "available_until": "2026-01-01"}, "available_until"),
        ("15", {"title": "x", "withdrawn": "yes"}, "withdrawn"),
        ("15", {"title": "x", **{f"column{n}": 1 for n in range(10_000)}}, "body"),
        ("abc", {"title": "x"}, "item_id"),
        ("007", {"title": "x"}, "item_id"),
        ("9" * 201, {"title": "x"}, "item_id"),
    ],
)
def test_an_item_that_the_next_model_could_not_read_is_refused(
    hostile: Editing, item: str, body: dict[str, Any], field: str
) -> None:
    answer = hostile.send("PUT", f"/items/{item}", body)
    assert (answer.status, answer.json["error"]["field"]) == (422, field)
    assert item not in [each["id"] for each in hostile.send("GET", "/items/changes").json["changes"]]


def test_a_title_of_markup_stays_text_and_a_megabyte_is_refused(hostile: Editing) -> None:
    markup = '</script><img src=x onerror="alert(1)">&amp;\u2028'
    answer = hostile.send("PATCH", "/items/80", {"title": markup})
    assert (answer.status, answer.json["item"]["title"]) == (200, markup)
    found = hostile.client.get("/items/80")
    assert (found.json["title"], found.headers["content-type"]) == (markup, "application/json")
    assert hostile.send("PATCH", "/items/80", {"title": "x" * 2**20}).status in (413, 422)
    assert hostile.send("POST", "/items", {"items": [{"id": 80, "title": "x" * 2**20}]}).status in (413, 422)
    assert hostile.send("PATCH", "/items/80", {"title": "Never Shown"}).status == 200


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editing]:
    folder = tmp_path_factory.mktemp("hostile")
    settings = settings_of(folder, f"sqlite:///{folder}/events.db")
    put_in_cache(settings, write(folder / "served", make_films()), version="7")
    with serving(settings) as client:
        yield Editing(client)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_unknown_film_can_be_neither_patched_nor_withdrawn(hostile: Editing, method: str) -> None:
    body = {"year": 1} if method == "PATCH" else None
    assert hostile.send(method, "/items/15", body).json["error"]["code"] == "item_unknown"


def test_without_keys_nobody_changes_the_catalogue(films: Client) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        assert films.get("/items/10", method, KEYS, b'{"title": "x"}').status == 405
