"""POST /recommendations/batch."""

import json
import threading
from typing import Any

import pytest

from app.contract.ranking import Ranking
from app.contract.ready_rankings import ReadyRankings
from tests.app.conftest import ODD_IDS
from tests.client import Client


def ask(client: Client, **request: Any) -> list[dict[str, Any]]:
    answer = client.post("/recommendations/batch", request)
    assert answer.status == 200, answer.body
    answers: list[dict[str, Any]] = answer.json["answers"]
    return answers


@pytest.mark.parametrize(
    "query",
    ["k=3", "k=100", "k=5&genre=comedy&year_to=1999", "k=2&include_seen=true", "k=4&exclude=10&exclude_genre=crime"],
)
def test_each_user_gets_what_they_would_get_alone(films: Client, query: str) -> None:
    users = ["4", "unknown", "1", "2", "3", "1"]
    pairs = [pair.split("=") for pair in query.split("&")]
    request: dict[str, Any] = {"user_ids": users}
    for key, value in pairs:
        request[key] = json.loads(value) if key in ("k", "year_to", "include_seen") else [value]
    alone = [films.get(f"/users/{user}/recommendations?{query}").json for user in users]
    assert ask(films, **request) == alone


def test_ids_may_be_numbers_or_texts(films: Client) -> None:
    assert ask(films, user_ids=[4, 4.0]) == ask(films, user_ids=["4", "4"])


def test_a_thousand_users_are_answered_in_their_order(films: Client) -> None:
    users = [str(number) for number in range(1000)]
    assert [answer["user_id"] for answer in ask(films, user_ids=users, k=1)] == users


def test_any_text_may_be_an_id(films: Client) -> None:
    answers = ask(films, user_ids=[*ODD_IDS, "\ud800"], k=1)
    assert [answer["user_id"] for answer in answers] == [*ODD_IDS, "\ufffd"]
    assert {answer["source"] for answer in answers} == {"popular"}


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "user_ids"), ({"user_ids": []}, "user_ids"), ({"user_ids": [1] * 1001}, "user_ids"),
        ({"user_ids": [1, None]}, "user_ids.1"), ({"user_ids": [1], "k": 0}, "k"),
        ({"user_ids": [1], "explain": True}, "explain"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(films: Client, request_: dict[str, Any], field: str) -> None:
    answer = films.post("/recommendations/batch", request_)
    assert (answer.status, answer.json["error"]["field"]) == (422, field)


def test_others_are_answered_while_a_batch_is_worked_on(films: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, ranked = threading.Event(), threading.Event(), ReadyRankings.first

    def wait(self: ReadyRankings, *asked: Any) -> Ranking | None:
        begun.set()
        assert go_on.wait(20)
        return ranked(self, *asked)

    monkeypatch.setattr(ReadyRankings, "first", wait)
    batch = threading.Thread(target=ask, args=(films,), kwargs={"user_ids": [1, 2]})
    batch.start()
    try:
        assert begun.wait(20)
        assert films.get("/health/live").status == 200
        assert films.get("/users/unknown/recommendations").status == 200
    finally:
        go_on.set()
        batch.join()


def test_without_a_model_the_answer_is_503(empty_client: Client) -> None:
    answer = empty_client.post("/recommendations/batch", {"user_ids": [1]})
    assert (answer.status, answer.json["error"]["code"]) == (503, "no_model")
