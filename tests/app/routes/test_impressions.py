"""Taking in what was on screens, and telling a person all that is held, over HTTP and with both kinds of store."""

import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from app.contract.recommendation_id import id_maker
from app.contract.trial import Arm
from app.events import flushed
from app.schemas.impressions import MAX_IMPRESSIONS
from tests.app.conftest import offline_settings
from tests.artifacts import make_artifact, write
from tests.client import Answer, Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.metrics import samples
from tests.processes import wait_until

NOT_EXPLORED = {"odds": None, "among": None}
KEY = {"X-API-Key": "writing"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("impressions")
    url = f"sqlite:///{folder}/events.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").url("events_service")
    settings = offline_settings(folder).model_copy(update={"log_level": "WARNING"})
    settings = settings.model_validate(
        {**settings.model_dump(), "events_url": url, "model_poll_seconds": 60, "answered_share": 1}
    )
    put_in_cache(settings, write(folder / "served", make_artifact(item_ids=range(10, 70, 10))))
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(flushed, "FLUSH_SECONDS", 0.05)
        with serving(settings) as running:
            yield running


def show(client: Client, **fields: Any) -> Answer:
    return client.post("/impressions", {"impressions": [{"user_id": 1, "item_ids": [10], **fields}]})


def held(client: Client, user: str = "1") -> dict[str, Any]:
    return client.get(f"/users/{user}/data").json


def test_what_was_on_a_screen_is_held_once_about_the_person_who_saw_it(client: Client) -> None:
    listed = client.get("/users/1/recommendations?k=3").json
    name, items = listed["recommendation_id"], [each["id"] for each in listed["items"]]
    first = {"recommendation_id": name, "item_ids": items[:2], "placement": "home", "source": listed["source"]}
    first["explored"] = {"item_id": items[1], "odds": 0.05, "among": [items[0], items[1], "x,y"]}
    for _ in range(2):
        answer = show(client, **first)
        assert (answer.status, answer.json) == (202, {"accepted": 2, "expired": 0, "dropped": 0})
    show(client, recommendation_id=name, item_ids=items[1:], rank=2)
    assert client.post("/events", {"events": [{"user_id": 1, "item_id": 10, "type": "like"}]}).status == 200
    wait_until(lambda: len(held(client)["impressions"]) == len(items))
    found = held(client)
    assert [(each["rank"], each["item_id"]) for each in found["impressions"]] == list(enumerate(map(str, items), 1))
    today = datetime.now(timezone.utc).date().isoformat()
    of_list = {"recommendation_id": name, "placement": "home", "source": listed["source"]}
    assert found["impressions"][0] == {"day": today, "item_id": str(items[0]), "rank": 1, **of_list, **NOT_EXPLORED}
    odds = [(each["odds"], each["among"]) for each in found["impressions"][1:]]
    assert odds == [(0.05, [str(items[0]), str(items[1]), "x,y"]), (None, None)]
    [said] = found["events"]
    assert (said["item_id"], said["type"], said["value"], found["exposures"]) == ("10", "like", None, [])
    assert {"item_id": "10", "liked": True} in found["history"]
    assert held(client, "nobody%2F%0A") == {
        **{"user_id": "nobody/\n", "model_version": found["model_version"]},
        **{key: [] for key in ("history", "events", "impressions", "exposures", "answers")},
    }


def test_a_list_that_a_person_got_is_kept_and_no_other(client: Client) -> None:
    asked = ["k=2", "k=2&offset=1", "genre=Comedy&include_seen=true", "preview=true"]
    listed = [client.get(f"/users/2/recommendations?{query}").json for query in asked]
    client.post("/recommendations/batch", {"user_ids": [2]})
    wait_until(lambda: len(held(client, "2")["answers"]) == 3)
    found = {each["recommendation_id"]: each for each in held(client, "2")["answers"]}
    today = datetime.now(timezone.utc).date().isoformat()
    for each, rank in zip(listed[:3], (1, 2, 1), strict=True):
        kept, items = found[each["recommendation_id"]], [str(item["id"]) for item in each["items"]]
        assert (kept["day"], kept["item_ids"], kept["rank"], kept["source"]) == (today, items, rank, each["source"])


def test_lists_of_long_ago_or_of_the_future_are_no_error_and_do_not_count(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for days in (-8, 1):
        with monkeypatch.context() as elsewhen:
            elsewhen.setattr(time, "time", lambda days=days: now + days * 86_400)
            name = id_maker("1", Arm.NONE)(b"2").decode()
        assert show(client, user_id=2, recommendation_id=name).json == {"accepted": 0, "expired": 1, "dropped": 0}
    counted = samples(client.get("/metrics").body.decode())
    assert counted["recommender_impressions_total{outcome=expired}"] >= 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"recommendation_id": "no list"}, "recommendation_id"),
        ({"recommendation_id": "x" * 65}, "recommendation_id"),
        ({"user_id": ""}, "user_id"),
        ({"item_ids": []}, "item_ids"),
        ({"item_ids": ["x" * 201]}, "item_ids.0"),
        ({"item_ids": list(range(101))}, "item_ids"),
        ({"rank": 0}, "rank"),
        ({"placement": "a b"}, "placement"),
        ({"probability": 1}, "probability"),
        ({"explored": {"item_id": 10, "odds": 0, "among": [10, 20]}}, "explored.odds"),
        ({"explored": {"item_id": 10, "odds": 1.5, "among": [10, 20]}}, "explored.odds"),
        ({"explored": {"item_id": 30, "odds": 0.5, "among": [10, 20]}}, "explored.item_id"),
    ],
)
def test_what_is_malformed_is_refused_with_all_that_came_with_it(
    client: Client, wrong: dict[str, Any], field: str
) -> None:
    good = {"recommendation_id": id_maker("1", Arm.NONE)(b"3").decode(), "user_id": 3, "item_ids": [10]}
    answer = client.post("/impressions", {"impressions": [good, {**good, **wrong}]})
    assert (answer.status, answer.json["error"]["field"]) == (422, f"impressions.1.{field}")
    assert held(client, "3")["impressions"] == []


def test_a_thousand_impressions_are_taken_at_once(client: Client) -> None:
    names = [id_maker("1", Arm.NONE)(b"4").decode() for _ in range(MAX_IMPRESSIONS)]
    sent = [{"recommendation_id": name, "user_id": 4, "item_ids": [10, 20, 30]} for name in names]
    assert client.post("/impressions", {"impressions": sent}).json["accepted"] == 3 * MAX_IMPRESSIONS
    wait_until(lambda: len(held(client, "4")["impressions"]) == 3 * MAX_IMPRESSIONS)


def test_only_a_key_that_may_write_events_shows_and_asks_for_all_that_is_held(make_settings: MakeSettings) -> None:
    with serving(make_settings(api_keys="reading", events_keys="writing", events_url="off")) as client:
        for path, method in (("/impressions", "POST"), ("/users/a%2Fb%0A/data", "GET")):
            assert client.get(path, method, {"X-API-Key": "reading"}).status == 401
            assert client.get(path, method, KEY).status in (404, 422)
        assert client.get("/users/1/data", headers=KEY).json["error"]["code"] == "events_disabled"
