"""What editors decide of lists: saved, read on every replica, and followed by every route that names the placement."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from app.contract.placed import Placed
from app.contract.placement_rules import Exploration
from app.contract.ranking import Ranking
from app.events import flushed
from app.model.exploration import explored
from tests.app.conftest import ids
from tests.app.routes.test_item_changes import Editing, replica
from tests.app.routes.test_item_changes import url as url
from tests.client import Client
from tests.processes import wait_until

HOME = "/placements/home"
LIST = "/users/1/recommendations?placement=home"
EXPLORE = {"rank": 2, "among": 3, "share": 0.6}
TWO_HORROR = {"filter": "genres:Horror", "at_least": 2}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editing]:
    folder = tmp_path_factory.mktemp("placements")
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(flushed, "FLUSH_SECONDS", 0.05)
        with replica(folder, f"sqlite:///{folder}/events.db") as client:
            yield Editing(client)


def put(editing: Editing, **rules: Any) -> list[int]:
    """Save a placement, and ask for the list of user 1, whose scores are 30: 6, 40: 5, 50: 4, 60: 3, 70: 2, 80: 1."""
    answer = editing.send("PUT", HOME, rules)
    assert answer.status == 200, answer.body
    return ids(editing.client, LIST)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, [30, 40, 50, 60, 70, 80]),
        ({"k": 2}, [30, 40]),
        ({"filter": "genres:Horror"}, [40, 60]),
        ({"boosts": [{"filter": "genres:Horror", "by": 3}]}, [40, 60, 30, 50, 70, 80]),
        ({"boosts": [{"filter": "genres:Horror", "by": -3}]}, [30, 50, 70, 80, 40, 60]),
        ({"pins": [{"item_id": 70, "rank": 1}]}, [70, 30, 40, 50, 60, 80]),
        ({"pins": [{"item_id": 70, "rank": 2}, {"item_id": "80", "rank": 3}], "k": 4}, [30, 70, 80, 40]),
        ({"pins": [{"item_id": 70, "rank": 1, "until": "2020-01-01"}]}, [30, 40, 50, 60, 70, 80]),
        ({"pins": [{"item_id": 10, "rank": 1}]}, [30, 40, 50, 60, 70, 80]),  # seen
        ({"pins": [{"item_id": 70, "rank": 1}], "filter": "genres:Horror"}, [40, 60]),
        ({"quotas": [{"filter": "genres:Horror", "at_most": 1}], "k": 3}, [30, 40, 50]),
        ({"quotas": [{"filter": "genres:Horror", "at_most": 0}], "k": 3}, [30, 50, 70]),
        ({"quotas": [{"filter": "genres:Horror", "at_least": 2}], "k": 2}, [40, 60]),
        ({"diversity": 1, "k": 2}, [30, 80]),
    ],
)
def test_a_list_follows_the_rules(shared: Editing, rules: dict[str, Any], expected: list[int]) -> None:
    assert put(shared, **rules) == expected


def test_a_placement_is_saved_listed_rolled_back_and_deleted(editing: Editing) -> None:
    assert editing.client.get(LIST).json["error"]["code"] == "placement_unknown"
    first = editing.send("PUT", HOME, {"k": 3})
    second = editing.send("PUT", HOME, {"k": 2}, **{"X-API-Key": "secret-of-bob", "If-Match": first.headers["etag"]})
    assert (second.json["name"], second.json["placement"], len(ids(editing.client, LIST))) == ("home", {"k": 2}, 2)
    late = editing.send("PUT", HOME, {"k": 1}, **{"If-Match": first.headers["etag"]})
    assert (late.status, late.json["error"]["code"]) == (412, "placement_changed")
    [listed] = editing.send("GET", "/placements").json["placements"]
    assert (listed["editor"], listed["etag"], listed["position"]) == ("bob", second.headers["etag"], 2)
    assert editing.send("POST", f"{HOME}/rollback").json["placement"] == {"k": 3}
    assert len(ids(editing.client, LIST)) == 3
    assert editing.send("DELETE", HOME).json["placement"] is None
    assert editing.client.get(LIST).status == editing.send("GET", HOME).status == 404
    history = editing.send("GET", f"{HOME}/history").json
    assert [(each["editor"], each["placement"]) for each in history["changes"]] == [
        ("ann", None),
        ("ann", {"k": 3}),
        ("bob", {"k": 2}),
        ("ann", {"k": 3}),
    ]
    assert editing.send("POST", f"{HOME}/rollback?position=2").json["placement"] == {"k": 2}
    assert editing.send("GET", HOME).headers["etag"] == second.headers["etag"]
    assert editing.client.get("/users/1/history").json["total"] == 2  # no editor has seen a film


@pytest.fixture
def editing(tmp_path: Path, url: str) -> Iterator[Editing]:
    with replica(tmp_path, url) as client:
        yield Editing(client)


def test_another_replica_and_a_restart_have_the_placement(tmp_path: Path, url: str, editing: Editing) -> None:
    put(editing, filter="genres:Horror")
    with replica(tmp_path / "other", url) as client:
        assert ids(client, LIST) == [40, 60]
        put(editing, filter="genres:Horror", k=1)
        wait_until(lambda: ids(client, LIST) == [40])


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"boosts": [{"filter": "genres:Horror", "by": 1e9}]}, "boosts.0.by"),
        ({"boosts": [{"filter": "genres:Horror AND", "by": 1}]}, "boosts.0.filter"),
        ({"filter": "colour = red"}, "filter"),
        ({"pins": [{"item_id": 30, "rank": 5}], "k": 4}, "pins.0.rank"),
        ({"pins": [{"item_id": 30, "rank": 1}, {"item_id": 40, "rank": 1}]}, "pins.1"),
        ({"pins": [{"item_id": 30, "rank": 1, "from": "soon"}]}, "pins.0.from"),
        ({"pins": [{"item_id": 30, "rank": 1, "from": "2026-01-02", "until": "2026-01-01"}]}, "pins.0.until"),
        ({"quotas": [{"filter": "genres:Horror"}]}, "quotas.0"),
        ({"quotas": [{"filter": "genres:Horror", "at_least": 3, "at_most": 2}]}, "quotas.0.at_least"),
        ({"quotas": [{"filter": "genres:Horror", "at_least": 3}], "k": 2}, "quotas.0.at_least"),
        ({"quotas": [TWO_HORROR, {"filter": "NOT genres:Horror", "at_least": 2}], "k": 3}, "quotas.1"),
        ({"quotas": [TWO_HORROR, {"filter": "year >= 1900", "at_most": 1}]}, "quotas.1"),
        ({"explore": {**EXPLORE, "rank": 5}, "k": 4}, "explore.rank"),
        ({"explore": EXPLORE, "pins": [{"item_id": 30, "rank": 2}]}, "explore.rank"),
        ({"explore": EXPLORE, "quotas": [TWO_HORROR]}, "explore"),
        ({"explore": {**EXPLORE, "share": 0}}, "explore.share"),
        ({"explore": {**EXPLORE, "most_a_day": 0}}, "explore.most_a_day"),
        ({"rest": {"shown": 5}}, "rest.days"),
        ({"rest": {"shown": 0, "days": 7}}, "rest.shown"),
        ({"trial": {"against": "home", "share": 0.5}}, "trial.against"),
        ({"trial": {"against": "absent", "share": 0.5}}, "trial.against"),
        ({"trial": {"against": "home", "share": 1}}, "trial.share"),
        ({"fallback": "latest"}, "fallback"),
        ({"k": 0}, "k"),
        ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_the_rule(shared: Editing, rules: dict[str, Any], field: str) -> None:
    answer = shared.send("PUT", HOME, rules)
    assert (answer.status, answer.json["error"].get("field")) == (422, field), answer.body


def test_only_editors_see_and_change_placements(shared: Editing) -> None:
    for method, path in [
        ("GET", ""),
        ("GET", "/home"),
        ("PUT", "/home"),
        ("DELETE", "/home"),
        ("POST", "/home/rollback"),
    ]:
        assert shared.send(method, f"/placements{path}", {}, **{"X-API-Key": "wrong"}).status == 401


def test_rules_that_do_nothing_are_said_with_the_number_of_people(shared: Editing) -> None:
    rules = {
        "filter": "genres:Comedy",
        "pins": [{"item_id": 999, "rank": 1}],
        "boosts": [{"filter": "genres:Horror", "by": 1}],
        "quotas": [{"filter": "genres:Horror", "at_least": 1}],
    }
    warnings = shared.send("PUT", HOME, rules).json["warnings"]
    assert [each["field"] for each in warnings] == ["filter", "boosts", "quotas", "pins"]
    assert (warnings[0]["people"], warnings[0]["message"]) == (1, "1 of 4 people get no film.")
    assert shared.send("GET", HOME).json["warnings"] == warnings


def test_a_withdrawn_pin_is_skipped_and_said(editing: Editing) -> None:
    assert put(editing, pins=[{"item_id": 70, "rank": 1}])[0] == 70
    editing.send("DELETE", "/items/70")
    assert ids(editing.client, LIST) == [30, 40, 50, 60, 80]
    assert editing.send("GET", HOME).json["warnings"][0]["field"] == "pins"
    assert 'recommender_lost_pins{placement="home"} 1.0' in editing.client.get("/metrics").body.decode()


def test_every_route_follows_the_placement_and_explains_it(shared: Editing) -> None:
    rule = {"filter": "genres:Horror", "by": 3, "name": "horror"}
    put(shared, boosts=[rule], pins=[{"item_id": 80, "rank": 1}], k=3)
    client: Client = shared.client
    explained = client.get(f"{LIST}&explain=true").json
    assert [(item["id"], item["rules"]) for item in explained["items"]] == [
        (80, ["pin:1"]),
        (40, ["boost:horror +3"]),
        (60, ["boost:horror +3"]),
    ]
    assert explained["placement"] == "home"
    assert "rules" not in client.get("/users/1/recommendations?explain=true").json["items"][0]
    batch = client.post("/recommendations/batch", {"user_ids": [1, "x"], "placement": "home"}).json["answers"]
    assert [item["id"] for item in batch[0]["items"]] == [80, 40, 60]
    folded = client.post("/recommendations", {"liked": [10, 20], "placement": "home"}).json
    assert [item["id"] for item in folded["items"]] == [80, 40, 60]
    assert ids(client, "/items/10/similar?placement=home") == [80, 40, 60]
    assert ids(client, f"{LIST}&offset=3") == [30, 50, 70]
    assert ids(client, f"{LIST}&filter={quote('genres:Horror')}") == [40, 60]


def test_a_rank_is_explored_by_the_odds_that_the_answer_says(shared: Editing) -> None:
    assert put(shared, explore=EXPLORE, k=3)[::2] == [30, 50]
    client = shared.client
    answers = client.post("/recommendations/batch", {"user_ids": [1] * 900, "placement": "home"}).json["answers"]
    assert all(each["explored"]["among"] == [40, 60, 70, 80] for each in answers)
    shown = Counter((each["items"][1]["id"], each["explored"]["item_id"]) for each in answers)
    odds = {each["explored"]["item_id"]: each["explored"]["odds"] for each in answers}
    assert odds == pytest.approx({40: 0.4, 60: 0.2, 70: 0.2, 80: 0.2})
    for item, share in odds.items():
        assert abs(shown[item, item] - 900 * share) < 5 * math.sqrt(900 * share * (1 - share))
    again = client.get(LIST).json
    placed = Placed(Ranking(np.array([[0, 1, 2, 3, 4, 5]]), np.zeros((1, 6))), {})
    drawn = explored(placed, 3, Exploration(2, 3, 0.6), again["recommendation_id"].encode())
    assert drawn is not None
    assert again["explored"]["item_id"] == [30, 40, 50, 60, 70, 80][drawn.row]
    assert client.get(f"{LIST}&explain=true").json["items"][1]["because"]
    for path in (f"{LIST}&offset=3", f"{LIST}&k=1", f"{LIST}&k=6", "/users/1/recommendations"):
        assert "explored" not in client.get(path).json  # another page, or nothing to draw


def test_new_films_come_first_where_a_rank_is_explored(shared: Editing) -> None:
    explore = {**EXPLORE, "new_below": 3}  # 70 has two ratings, 80 none
    put(shared, explore=explore, k=3)
    answers = shared.client.post("/recommendations/batch", {"user_ids": [1] * 400, "placement": "home"}).json["answers"]
    found = {each["explored"]["item_id"]: each["explored"] for each in answers}
    assert sorted(found) == [40, 70, 80]
    assert all(each["among"] == [40, 70, 80] for each in found.values())
    assert sum(each["odds"] for each in found.values()) == pytest.approx(1)
    assert all(0.2 < found[item]["odds"] < 0.4 for item in (70, 80))  # both fair: half of the share, but for the draws
    drawn = next(each for each in answers if each["explored"]["item_id"] == 80)["items"][1]
    assert (drawn["id"], drawn["score"]) == (80, 1)
    assert "explored" not in shared.client.get(f"{LIST}&k=6").json  # both are in the list
    put(
        shared,
        explore={**explore, "new_below": 1},
        boosts=[{"filter": "year >= 1900", "by": 1}],
        pins=[{"item_id": 80, "rank": 1}],
    )
    assert shared.client.get(f"{LIST}&k=3").json["explored"]["among"] == [30, 50, 60, 70]  # what is new is in the list


def test_a_request_overrides_only_what_it_may(shared: Editing) -> None:
    put(shared, k=3, diversity=0.5, overridable=["k"])
    assert len(ids(shared.client, f"{LIST}&k=2")) == 2
    answer = shared.client.get(f"{LIST}&diversity=0").json
    assert answer["error"]["field"] == "diversity"


def test_a_film_rests_for_those_who_were_shown_it_often_and_said_nothing(shared: Editing) -> None:
    put(shared, k=3)
    client, seen = shared.client, [30, 50]
    for _ in range(2):
        name = client.get(LIST).json["recommendation_id"]
        body = {"impressions": [{"user_id": 1, "recommendation_id": name, "item_ids": seen}]}
        assert client.post("/impressions", body).status == 202
    wait_until(lambda: len(client.get("/users/1/data").json["impressions"]) == 4)
    rules = {"k": 3, "rest": {"shown": 2, "days": 7}, "pins": [{"item_id": 50, "rank": 1}]}
    tried = shared.send("POST", "/placements/preview", {"placement": rules, "user_ids": [1, 4]}).json["answers"]
    assert [item["id"] for item in tried[0]["items"]] == put(shared, **rules) == [40, 60, 70]
    batch = client.post("/recommendations/batch", {"user_ids": [1, 4], "placement": "home"}).json["answers"]
    assert [batch[0]["items"][0]["id"], batch[1]["items"][0]["id"]] == [40, 50]
    explained = client.get(f"{LIST}&explain=true").json
    assert (explained["resting"], "resting" in batch[0]) == ([30, 50], False)
    assert put(shared, **{**rules, "rest": {"shown": 3, "days": 7}}) == [50, 30, 40]


def test_people_of_whom_nothing_is_known_get_the_fallback(shared: Editing) -> None:
    put(shared, fallback=[70, 999, 60], k=4)
    assert ids(shared.client, "/users/nobody/recommendations?placement=home") == [70, 60, 10, 20]
    assert ids(shared.client, LIST) == [30, 40, 50, 60]


def test_what_trends_is_a_fallback_and_a_kept_list_follows_events_and_the_placement(shared: Editing) -> None:
    client, mine = shared.client, "/users/2/recommendations?placement=home"
    put(shared, fallback="trending")
    *_, liked = ids(client, mine)
    said = client.post("/events", {"events": [{"user_id": 2, "item_id": liked, "type": "like"}]})
    after = {"X-Read-After": str(said.json["position"])}
    assert liked not in [item["id"] for item in client.get(mine, headers=after).json["items"]]
    stranger = "/users/nobody/recommendations?placement=home"
    trending = ids(client, "/items/trending?k=3")
    assert ids(client, stranger)[:3] == trending
    assert ids(client, f"{stranger}&exclude={trending[0]}")[:2] == trending[1:]
    put(shared, fallback="popular")
    assert ids(client, stranger) == ids(client, "/items/popular?k=10")
