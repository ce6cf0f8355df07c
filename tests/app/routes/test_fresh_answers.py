"""What a user says changes the next answer of every route."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.contract.artifact import LearnedEvents
from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.store import EventStore
from app.settings import Settings
from tests.app.conftest import ids, make_films, offline_settings
from tests.app.events.stories import NOW, said
from tests.artifacts import write
from tests.client import Answer, Client, put_in_cache, serving, without_id
from tests.conftest import MakeSettings
from tests.every_route import assert_every_route_answers
from tests.metrics import samples
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import service

P99_SECONDS = 0.2


class Listening:
    """A service that keeps events, with the films of `make_films`."""

    def __init__(self, client: Client, store: EventStore) -> None:
        self.client, self.store = client, store

    def say(self, user: int | str, event_type: str, *items: int, **fields: Any) -> int:
        events = [{"user_id": user, "type": event_type, "item_id": item, **fields} for item in items]
        answer = self.client.post("/events", {"events": events})
        assert answer.status == 200, answer.body
        assert answer.json["accepted"] == len(items)
        position: int = answer.json["position"]
        return position

    def recommended(self, user: int | str, query: str = "k=100") -> list[int]:
        return ids(self.client, f"/users/{user}/recommendations?{query}")


def with_events(settings: Settings, store: Path, **fields: Any) -> Settings:
    values = {**settings.model_dump(), "events_url": f"sqlite:///{store}", "admin_token": "token", **fields}
    return Settings.model_validate(values)


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    settings = with_events(offline_settings(tmp_path), tmp_path / "events.db")
    put_in_cache(settings, write(tmp_path / "served", make_films()), version="7")
    store = open_store(StoreAddress(f"sqlite:///{tmp_path}/events.db"))
    with serving(settings) as client:
        yield Listening(client, store)
    store.close()


def test_a_stranger_who_likes_a_film_gets_films_like_it_in_the_next_answer(listening: Listening) -> None:
    assert listening.client.get("/users/new/recommendations").json["source"] == "popular"
    for _ in range(2):  # the second is kept from the first
        listening.say("new", "like", 70)
        answer = listening.client.get("/users/new/recommendations?k=3").json
        assert (answer["source"], [item["id"] for item in answer["items"]]) == ("personalised", [80, 60, 50])


def test_what_people_like_now_is_trending_in_the_next_answer(listening: Listening) -> None:
    before = listening.client.get("/items/trending?k=3").json["items"]
    assert [(item["id"], item["score"]) for item in before] == [(10, 0.0), (20, 0.0), (30, 0.0)]
    position = listening.say("new", "like", 60, 30)
    after = listening.client.get("/items/trending?k=3&half_life=30", headers={"X-Read-After": str(position)})
    assert [(item["id"], item["score"]) for item in after.json["items"]] == [(30, 1.0), (60, 1.0), (10, 0.0)]
    assert after.json["recommendation_id"] == after.headers["x-recommendation-id"]
    assert ids(listening.client, "/items/trending?k=2&exclude=30&genre=horror") == [60, 40]
    refused = listening.client.get("/items/trending?half_life=5").json["error"]
    assert (refused["code"], refused["field"]) == ("invalid_parameter", "half_life")
    assert refused["message"].startswith("half_life is 5 days, and this version counts with 30")


def test_a_type_of_the_model_s_own_counts_as_the_model_has_it_and_another_is_refused_by_name(tmp_path: Path) -> None:
    settings = with_events(offline_settings(tmp_path), tmp_path / "events.db")
    types = {"stream": {"means": "positive", "value": [0, 90], "from": 60}}
    put_in_cache(settings, write(tmp_path / "served", replace(make_films(), event_types=types)), version="7")
    with serving(settings) as client, closing(open_store(StoreAddress(f"sqlite:///{tmp_path}/events.db"))) as store:
        listening = Listening(client, store)
        listening.say("new", "stream", 70, value=59)
        assert listening.client.get("/users/new/recommendations").json["source"] == "popular"
        listening.say("new", "stream", 70, value=60)
        assert listening.recommended("new", "k=3") == [80, 60, 50]
        error = client.post("/events", {"events": [{"user_id": 1, "type": "play", "item_id": 70}]}).json["error"]
        assert error["field"] == "events.0.type"
        assert error["message"].endswith("use one of rating, like, dislike, hide, retract, stream.")


def test_each_event_counts_in_the_next_answer(listening: Listening) -> None:
    for number in range(40):
        item = 30 if number % 2 else 40
        listening.say(1, "hide", item)
        assert item not in listening.recommended(1)
        listening.say(1, "retract", item)
        assert item in listening.recommended(1)


def test_a_like_moves_the_list_and_all_else_only_leaves_films_out(listening: Listening) -> None:
    assert listening.recommended(1) == [30, 40, 50, 60, 70, 80]
    listening.say(1, "watch", 40)
    listening.say(1, "rating", 60, value=2)
    assert listening.recommended(1) == [30, 50, 70, 80]
    listening.say(1, "rating", 80, value=5)
    assert listening.recommended(1) == [70, 50, 30]
    listening.say(1, "retract", 80, 40)
    assert listening.recommended(1) == [30, 40, 50, 70, 80]


def test_all_routes_follow(listening: Listening) -> None:
    listening.say(1, "like", 70)
    listening.say(1, "hide", 40)
    plain = listening.recommended(1)
    assert plain == [30, 50, 60, 80]
    assert listening.recommended(1, "k=2&offset=1") == plain[1:3]
    assert listening.recommended(1, "k=3&genre=sci-fi&genre=comedy&year_from=1993") == [30, 50]
    assert set(listening.recommended(1, "k=100&diversity=0.5")) == set(plain)
    assert set(listening.recommended(1, "k=100&include_seen=true")) == {10, 20, 30, 50, 60, 70, 80}
    batch = listening.client.post("/recommendations/batch", {"user_ids": [1, "new"], "k": 4}).json["answers"]
    assert [[item["id"] for item in each["items"]] for each in batch] == [plain, [10, 20, 30, 40]]


def test_a_list_is_explained_by_what_is_liked_fresh_likes_included(listening: Listening) -> None:
    listening.say(1, "like", 70)
    listening.say(1, "dislike", 50)
    items = listening.client.get("/users/1/recommendations?k=1&explain=true").json["items"]
    assert [film["id"] for film in items[0]["because"]] == [20, 70]  # 10 was seen and not liked


def test_a_history_shows_the_latest_first_and_what_was_liked(listening: Listening) -> None:
    listening.say(1, "watch", 40)
    listening.say(1, "like", 70)
    listening.say(1, "hide", 80)
    history = listening.client.get("/users/1/history").json
    assert history["total"] == 4
    assert [(item["id"], item["liked"]) for item in history["items"]] == [
        (70, True),
        (40, False),
        (10, False),
        (20, True),
    ]
    assert listening.client.get("/users/new/history").status == 404
    listening.say("new", "like", 70)
    assert [item["id"] for item in listening.client.get("/users/new/history").json["items"]] == [70]


def test_who_is_forgotten_is_unknown_at_once(listening: Listening) -> None:
    listening.say(1, "like", 70)
    answer = listening.client.get("/users/1", "DELETE", {"Authorization": "Bearer token"})
    assert answer.status == 200, answer.body
    assert listening.client.get("/users/1/recommendations").json["source"] == "popular"
    assert 10 in listening.recommended(1)
    assert listening.client.get("/users/1/history").status == 404


QUERIES = ["k=3", "k=100", "k=2&offset=1", "genre=comedy", "exclude=30", "include_seen=true", "diversity=0.7&k=4"]


@pytest.mark.parametrize("query", QUERIES)
def test_the_front_door_answers_like_the_route(listening: Listening, query: str) -> None:
    listening.say(1, "like", 70)
    listening.say(2, "retract", 20)
    listening.say(4, "hide", 80)
    listening.say("new", "watch", 10)
    for user in (1, 2, 3, 4, "new", "nobody"):
        path = f"/users/{user}/recommendations?{query}"
        documented = path + "&exclude=" + "x" * 600
        for _ in range(2):
            assert without_id(listening.client.get(path)) == without_id(listening.client.get(documented))


def test_a_client_can_read_what_it_has_written(listening: Listening) -> None:
    store, client = listening.store, listening.client
    for number in range(10):
        position = store.append([said(f"user {number}", "like", 70)], NOW).last
        answer = client.get(f"/users/user%20{number}/recommendations?k=1", headers={"X-Read-After": str(position)})
        assert answer.json["source"] == "personalised"
        assert int(header(answer, "x-position") or 0) >= position


def test_who_asks_for_an_event_that_does_not_come_is_answered_all_the_same(listening: Listening) -> None:
    position = listening.say(1, "like", 70)
    began = time.monotonic()
    answer = listening.client.get("/users/1/recommendations?k=1", headers={"x-read-after": str(position + 1)})
    assert 0.2 < time.monotonic() - began < 2
    assert (answer.status, header(answer, "x-position")) == (200, str(position))
    assert header(listening.client.get("/users/1/recommendations"), "x-position") is None
    for path in ("/users/1/history", "/users/1/recommendations?explain=true"):
        assert header(listening.client.get(path, headers={"X-Read-After": "1"}), "x-position") == str(position)


@pytest.mark.parametrize("sent", ["-1", "x", str(10**15 + 1), str(2**63)])
def test_a_position_that_is_none_is_refused(listening: Listening, sent: str) -> None:
    answer = listening.client.get("/users/1/recommendations", headers={"X-Read-After": sent})
    assert answer.status == 422
    assert "X-Read-After" in answer.json["error"]["message"]


def test_without_a_store_the_header_changes_nothing(films: Client) -> None:
    answer = films.get("/users/1/recommendations", headers={"X-Read-After": "17"})
    assert (answer.status, header(answer, "x-position")) == (200, None)
    assert films.get("/model").json["events"] is None


def test_the_model_page_and_the_metrics_tell_how_far_answers_know(listening: Listening) -> None:
    position = listening.say(1, "like", 70)
    told = listening.client.get("/model").json["events"]
    assert (told["status"], told["position"], told["last_problem"]) == ("ok", position, None)
    assert 0 <= told["lag_seconds"] < 3
    found = samples(listening.client.get("/metrics").body.decode())
    assert (found["recommender_overlay_users"], found["recommender_overlay_position"]) == (1, position)


def test_a_store_that_can_not_be_read_stops_no_answer(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = with_events(make_settings(), tmp_path / "no folder" / "events.db")
    put_in_cache(settings, write(tmp_path / "served", make_films()))
    with serving(settings) as client:
        assert client.get("/health/ready").status == 200
        assert client.get("/users/1/recommendations").status == 200
        told = client.get("/model").json["events"]
        assert told["status"] == "events_unavailable"
        assert "no folder" in told["last_problem"]
        assert_every_route_answers(client)


def test_a_deleted_store_takes_no_event_and_stops_no_answer(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = with_events(make_settings(), tmp_path / "events.db")
    put_in_cache(settings, write(tmp_path / "served", make_films()))
    like = {"events": [{"user_id": "new", "item_id": 70, "type": "like"}]}
    with serving(settings) as client:
        assert client.post("/events", like).status == 200
        (tmp_path / "events.db").unlink()
        refused = client.post("/events", like)
        assert (refused.status, refused.json["error"]["code"]) == (503, "events_unavailable")
        assert_every_route_answers(client)


def test_the_model_says_so_where_the_store_hangs(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_until(lambda: listening.client.get("/model").json["events"]["status"] == "ok")
    monkeypatch.setattr("app.events.feed_state.LATE_SECONDS", -1.0)
    told = listening.client.get("/model").json["events"]
    assert told["status"] == "events_unavailable"
    assert "it may hang" in told["last_problem"]


def test_lists_that_are_compared_come_from_the_same_events(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.observability.overlap.COMPARED_SHARE", 1)
    more = {"trial_share": 0, "model_poll_seconds": 3600}
    settings = with_events(make_settings(), tmp_path / "events.db", **more)
    put_in_cache(settings, write(tmp_path / "live", make_films()))
    put_in_cache(
        settings.model_copy(update={"model_alias": "challenger"}), write(tmp_path / "challenger", make_films())
    )
    with serving(settings) as client:
        wait_until(
            lambda: samples(client.get("/metrics").body.decode())["recommender_challenger_model_swaps_total"] == 1
        )
        client.post("/events", {"events": [{"user_id": "new", "item_id": 70, "type": "like"}]})
        assert client.get("/users/new/recommendations?k=3").json["source"] == "personalised"
        found = dict[str, float]()

        def compared() -> bool:
            found.update(samples(client.get("/metrics").body.decode()))
            return found["recommender_compared_lists_total{outcome=compared}"] == 1

        wait_until(compared)
        assert found["recommender_challenger_overlap_sum"] == 1


@pytest.mark.long
def test_swaps_and_rollbacks_count_each_event_once(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Film 70 is liked before the second version learns, film 10 after it."""
    settings = with_events(make_settings(registry, model_poll_seconds=3600), tmp_path / "events.db")
    registry.register(write(tmp_path / "1", make_films()), alias="production")
    with closing(open_store(StoreAddress(f"sqlite:///{tmp_path}/events.db"))) as store, serving(settings) as client:
        promote(registry, client, "1")
        position = Listening(client, store).say("new", "like", 70)
        assert history(client) == [70]
        learned = replace(make_films(), events=LearnedEvents(store.id, position))
        registry.register(write(tmp_path / "2", learned))
        promote(registry, client, "2")
        assert client.get("/users/new/history").status == 404  # this version does not know the user, and has learned
        Listening(client, store).say("new", "like", 10)
        assert history(client) == [10]
        promote(registry, client, "1")
        assert history(client) == [10, 70]
        promote(registry, client, "2")
    with serving(settings) as client:  # begins with the second version, and reads only what it lacks
        assert (client.version(), history(client)) == ("2", [10])
        assert client.get("/model").json["events"]["position"] == position + 1
        promote(registry, client, "1")
        assert history(client) == [10, 70]
    store.close()


def promote(registry: TestRegistry, client: Client, version: str) -> None:
    registry.move("production", version)
    assert client.get("/model/reload", "POST", {"Authorization": "Bearer token"}).json["version"] == version


def history(client: Client) -> list[int]:
    return [item["id"] for item in client.get("/users/new/history").json["items"]]


@pytest.mark.long
def test_another_process_knows_within_moments_and_at_once_if_asked_to_wait(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = with_events(make_settings(), tmp_path / "events.db", log_level="WARNING")
    put_in_cache(settings, write(tmp_path / "served", make_films()))
    took = []
    with service(settings, tmp_path / "one") as (one, _), service(settings, tmp_path / "two") as (two, _):
        for number in range(100):
            body = {"events": [{"user_id": f"new-{number}", "item_id": 70, "type": "like"}]}
            position = one.post("/events", body).json["position"]
            began, path = time.monotonic(), f"/users/new-{number}/recommendations?k=1"
            assert one.get(path).json["source"] == "personalised"
            if number % 2:
                waited = two.get(path, headers={"X-Read-After": str(position)})
                assert waited.json["source"] == "personalised"
            else:
                wait_until(lambda: two.get(path).json["source"] == "personalised", step=0.001)  # noqa: B023
                took.append(time.monotonic() - began)
    print(f"known elsewhere after {np.median(took):.3f} s, p99 {np.quantile(took, 0.99):.3f} s")  # noqa: T201
    assert np.quantile(took, 0.99) <= P99_SECONDS


def header(answer: Answer, name: str) -> str | None:
    return {key.lower(): value for key, value in answer.headers.items()}.get(name)
