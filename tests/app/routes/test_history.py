from urllib.parse import quote

import pytest

from tests.app.conftest import ODD_IDS, ids
from tests.client import Client


def test_a_history_holds_what_the_user_has_seen(films: Client) -> None:
    answer = films.get("/users/1/history")
    assert answer.status == 200
    assert answer.json == {
        "user_id": "1",
        "model_version": "7",
        "total": 2,
        "items": [
            {"id": 10, "title": "Amélie", "year": 2001, "genres": ["Comedy", "Romance"], "liked": False},
            {"id": 20, "title": "Toy Story", "year": 1995, "genres": ["Animation", "Comedy"], "liked": True},
        ],
    }


def test_a_long_history_comes_in_pages(films: Client) -> None:
    assert ids(films, "/users/2/history?k=3&offset=3") == [50, 60, 70]
    assert films.get("/users/2/history?offset=7").json["items"] == []
    assert films.get("/users/2/history?offset=1000000").json["total"] == 7


def test_a_known_user_may_have_no_history(films: Client) -> None:
    answer = films.get("/users/4/history")
    assert (answer.status, answer.json["total"], answer.json["items"]) == (200, 0, [])


@pytest.mark.parametrize("user_id", ODD_IDS)
def test_an_unknown_user_has_none(films: Client, user_id: str) -> None:
    answer = films.get(f"/users/{quote(user_id, safe='')}/history")
    assert (answer.status, answer.json["error"]["code"]) == (404, "user_unknown")
    assert answer.json["error"]["field"] == "user_id"
    assert len(answer.json["error"]["message"]) < 400


@pytest.mark.parametrize(("query", "field"), [("k=101", "k"), ("offset=-1", "offset"), ("offset=1e3", "offset")])
def test_what_is_out_of_range_is_refused_by_name(films: Client, query: str, field: str) -> None:
    answer = films.get(f"/users/1/history?{query}")
    assert (answer.status, answer.json["error"]["field"]) == (422, field)


def test_without_a_model_the_answer_is_503(empty_client: Client) -> None:
    assert empty_client.get("/users/1/history").status == 503
