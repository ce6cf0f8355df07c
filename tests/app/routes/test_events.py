"""Taking in events, over HTTP and into both kinds of store."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.rows import StoredEvent
from app.events.store import EventStore
from tests.app.conftest import offline_settings
from tests.artifacts import make_artifact, write
from tests.client import Answer, Client, put_in_cache, serving
from tests.metrics import samples

AT = "2026-11-20T12:00:00+02:00"


class Intake:
    """A service with a store of events."""

    def __init__(self, client: Client, store: EventStore) -> None:
        self.client, self._store, self.start = client, store, store.latest()

    def send(self, *events: dict[str, Any]) -> Answer:
        return self.client.post("/events", {"events": list(events)})

    def stored(self) -> list[StoredEvent]:
        return self._store.read_after(self.start, 10_000)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, str]]:
    folder = tmp_path_factory.mktemp("events")
    url = f"sqlite:///{folder}/events.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_server").url("events_service")
    settings = offline_settings(folder).model_copy(update={"log_level": "WARNING"})
    settings = settings.model_validate({**settings.model_dump(), "events_url": url, "admin_token": "token"})
    put_in_cache(settings, write(folder / "served", make_artifact(item_ids=range(10, 70, 10))))
    with serving(settings) as client:
        yield client, url


@pytest.fixture
def intake(running: tuple[Client, str]) -> Iterator[Intake]:
    store = open_store(StoreAddress(running[1]))
    yield Intake(running[0], store)
    store.close()


def event(**fields: Any) -> dict[str, Any]:
    return {"user_id": 42, "item_id": 10, "type": "like", **fields}


def test_an_answered_event_is_in_the_store(intake: Intake) -> None:
    before, name = time.time(), str(uuid4())
    answer = intake.send(
        event(event_id=name.upper(), user_id="日本/😀", type="rating", value=4.7, recommendation_id="a-B.1~_"), event()
    )
    first, second = intake.stored()
    assert answer.json == {"accepted": 2, "duplicates": 0, "unknown_items": [], "position": second.position}
    assert (first.event_id, first.user_id, first.item_id, first.type) == (name, "日本/😀", "10", "rating")
    assert (first.value, first.recommendation_id) == (4.7, "a-B.1~_")
    assert before - 0.01 <= first.occurred_at <= first.received_at + 1e-6 <= time.time() + 0.01
    assert (second.user_id, second.value, second.recommendation_id) == ("42", None, None)
    assert str(UUID(second.event_id)) == second.event_id


def test_a_repeated_event_is_stored_once(intake: Intake) -> None:
    first, second = (event(event_id=str(uuid4())) for _ in range(2))
    assert intake.send(first).json["accepted"] == 1
    again = intake.send(first, second, first).json
    assert (again["accepted"], again["duplicates"]) == (1, 2)
    assert again["position"] == intake.send(first).json["position"] == intake.stored()[-1].position
    assert len(intake.stored()) == 2


def test_events_about_unknown_films_are_named_and_kept_if_such_a_film_may_come(intake: Intake) -> None:
    answer = intake.send(event(item_id="x"), event(item_id=20), event(item_id="x"), event(item_id=7)).json
    assert (answer["accepted"], answer["unknown_items"]) == (1, ["x", "7"])
    assert [each.item_id for each in intake.stored()] == ["20", "7"]
    assert intake.send(event(item_id="x")).json == {**answer, "accepted": 0, "unknown_items": ["x"]}


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("yesterday", -24 * 3600),
        ("2099-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00Z", -30 * 86_400),
        ("0001-01-01T00:00:00+14:00", -30 * 86_400),
    ],
)
def test_a_clock_that_is_wrong_counts_as_the_nearest_possible_one(sent: str, seconds: float, intake: Intake) -> None:
    now = datetime.now(timezone.utc)
    sent = (now - timedelta(days=1)).isoformat() if sent == "yesterday" else sent
    assert intake.send(event(occurred_at=sent)).status == 200
    [stored] = intake.stored()
    assert stored.occurred_at - now.timestamp() == pytest.approx(seconds, abs=10)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "love"}, "type"),
        ({"type": "forget"}, "type"),
        ({"type": None}, "type"),
        ({"type": "rating"}, "value"),
        ({"type": "rating", "value": 0.4}, "value"),
        ({"type": "rating", "value": 5.01}, "value"),
        ({"type": "rating", "value": "4"}, "value"),
        ({"type": "rating", "value": True}, "value"),
        ({"value": 4}, "value"),
        ({"type": "play"}, "value"),
        ({"type": "play", "value": 1.1}, "value"),
        ({"type": "Love it"}, "type"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "x" * 201}, "user_id"),
        ({"user_id": 10**200}, "user_id"),
        ({"user_id": "a\0b"}, "user_id"),
        ({"user_id": 1.5}, "user_id"),
        ({"user_id": True}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"item_id": ["10"]}, "item_id"),
        ({"event_id": "1"}, "event_id"),
        ({"event_id": "{1b671a64-40d5-491e-99b0-da01ff1f3341}"}, "event_id"),
        ({"event_id": 1}, "event_id"),
        ({"occurred_at": "2026-11-20T12:00:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": 1_700_000_000}, "occurred_at"),
        ({"occurred_at": "1700000000"}, "occurred_at"),
        ({"recommendation_id": "x" * 65}, "recommendation_id"),
        ({"recommendation_id": "a b"}, "recommendation_id"),
        ({"stars": 4}, "stars"),
    ],
)
def test_one_malformed_event_refuses_all_and_its_field_is_named(
    wrong: dict[str, Any], field: str, intake: Intake
) -> None:
    answer = intake.send(event(), event(**wrong))
    error = answer.json["error"]
    assert (answer.status, error["code"], error["field"]) == (422, "invalid_parameter", f"events.1.{field}")
    assert intake.stored() == []


@pytest.mark.parametrize("field", ["user_id", "item_id", "type"])
def test_a_field_that_lacks_is_named(field: str, intake: Intake) -> None:
    wrong = event()
    del wrong[field]
    assert intake.send(wrong).json["error"]["field"] == f"events.0.{field}"


@pytest.mark.parametrize("body", [{}, {"events": []}, {"events": [{}] * 1001}, {"events": None}, [], {"event": []}])
def test_a_body_that_is_no_list_of_1_to_1000_events_is_refused(body: object, intake: Intake) -> None:
    assert intake.client.post("/events", body).status == 422


@pytest.mark.parametrize(("whole", "text"), [(7.0, "7"), (-3, "-3"), (10**199, f"{10**199}"), ("07", "07")])
def test_ids_are_kept_as_text(whole: object, text: str, intake: Intake) -> None:
    intake.send(event(user_id=whole))
    assert [each.user_id for each in intake.stored()] == [text]


def test_half_a_surrogate_pair_becomes_what_utf_8_can_hold(intake: Intake) -> None:
    body = b'{"events": [{"user_id": "a\\ud800", "item_id": 10, "type": "like"}]}'
    assert intake.client.get("/events", "POST", {"Content-Type": "application/json"}, body).status == 200
    assert [each.user_id for each in intake.stored()] == ["a\ufffd"]


def test_the_longest_request_with_all_fields_is_stored_whole_and_in_order(intake: Intake) -> None:
    events = [
        event(
            event_id=str(uuid4()),
            user_id="x" * 196 + f"{number:04}",
            type="rating",
            value=3,
            occurred_at=AT,
            recommendation_id="x" * 64,
        )
        for number in range(1000)
    ]
    assert intake.send(*events).json["accepted"] == 1000
    assert [each.event_id for each in intake.stored()] == [each["event_id"] for each in events]


def test_events_are_counted_by_type_and_outcome(intake: Intake) -> None:
    def counted() -> dict[str, float]:
        found = samples(intake.client.get("/metrics").body.decode())
        return {name: value for name, value in found.items() if name.startswith("recommender_event")}

    before, twice = counted(), event(event_id=str(uuid4()), type="hide")
    intake.send(twice, twice, event(item_id="x"))
    after = counted()
    grown = {name: after[name] - before.get(name, 0) for name in after if "created" not in name}
    assert {name: number for name, number in grown.items() if number} == {
        "recommender_events_total{outcome=accepted,type=hide}": 1,
        "recommender_events_total{outcome=duplicate,type=hide}": 1,
        "recommender_events_total{outcome=unknown_item,type=like}": 1,
        "recommender_event_commits_total": 1,
    }


def test_a_service_without_a_store_says_so(client: Client) -> None:
    answer = client.post("/events", {"events": [event()]})
    assert (answer.status, answer.json["error"]["code"]) == (404, "events_disabled")
    assert "EVENTS_URL" in answer.json["error"]["message"]


def test_without_a_model_no_event_is_taken_in_because_nobody_knows_the_films(tmp_path: Path) -> None:
    settings = offline_settings(tmp_path)
    settings = settings.model_validate({**settings.model_dump(), "events_url": f"sqlite:///{tmp_path}/events.db"})
    with serving(settings) as client:
        assert client.post("/events", {"events": [event()]}).json["error"]["code"] == "no_model"


def test_the_operator_has_a_user_forgotten(intake: Intake) -> None:
    answer = intake.client.get("/users/a%2Fb", "DELETE", {"Authorization": "Bearer token"})
    [stored] = intake.stored()
    assert answer.json == {"user_id": "a/b", "position": stored.position}
    assert (stored.user_id, stored.item_id, stored.type, stored.value) == ("a/b", None, "forget", None)
    counted = samples(intake.client.get("/metrics").body.decode())
    assert counted["recommender_events_total{outcome=accepted,type=forget}"] == 1


@pytest.mark.parametrize("user", ["x" * 201, "a%00b", ""])
def test_what_can_be_no_user_is_not_forgotten(user: str, intake: Intake) -> None:
    answer = intake.client.get(f"/users/{user}", "DELETE", {"Authorization": "Bearer token"})
    assert (answer.status, answer.json["error"]["field"]) == (422, "user_id")
    assert intake.stored() == []


def test_nobody_else_has_a_user_forgotten(intake: Intake) -> None:
    assert intake.client.get("/users/42", "DELETE").status == 401
    assert intake.client.get("/users/42", "DELETE", {"Authorization": "Bearer other"}).status == 401
    assert intake.stored() == []
