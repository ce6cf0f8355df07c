"""POST /recommendations: a new user's recommendations by fold-in."""

import re
from typing import Any

import pytest

from tests.app.conftest import ODD_IDS
from tests.client import Answer, Client


def ask(client: Client, **request: Any) -> Answer:
    return client.post("/recommendations", request)


def ids(answer: Answer) -> list[int]:
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.json["items"]]


def test_a_new_user_gets_films_like_those_they_like(films: Client) -> None:
    answer = ask(films, liked=[70], k=2)
    assert answer.status == 200
    assert answer.json == {
        "model_version": "7",
        "source": "fold_in",
        "unknown": [],
        "items": [
            {"rank": 1, "id": 80, "title": "Never Shown", "year": None, "genres": [], "score": 44.0},
            {"rank": 2, "id": 60, "title": "Alien³", "year": 1992, "genres": ["Sci-Fi", "Horror"], "score": 36.0},
        ],
    }


def test_what_is_disliked_is_left_out_and_changes_nothing_else(films: Client) -> None:
    liked = ids(ask(films, liked=[60]))
    assert ids(ask(films, liked=[60], disliked=[80, 40])) == [item for item in liked if item not in (80, 40)]


def test_who_only_dislikes_gets_popular_films(films: Client) -> None:
    answer = ask(films, disliked=["10"], k=2)
    assert (answer.json["source"], ids(answer)) == ("popular", [20, 30])


def test_what_was_named_is_left_out(films: Client) -> None:
    answer = ask(films, liked=[10, 20], disliked=[80], k=100)
    assert set(ids(answer)) == {30, 40, 50, 60, 70}
    assert answer.json["reason"] == "seen"


def test_ids_may_be_numbers_or_texts(films: Client) -> None:
    assert ids(ask(films, liked=[70, 60.0])) == ids(ask(films, liked=["70", "60"]))


def test_naming_a_film_twice_changes_nothing(films: Client) -> None:
    assert ask(films, liked=[70, 10, "70"]).json == ask(films, liked=[10, 70]).json


def test_unknown_ids_are_reported_as_they_were_sent(films: Client) -> None:
    answer = ask(films, liked=[70, 5, "x", "5", 5], disliked=["007", 2**80])
    assert answer.json["unknown"] == [5, "x", "5", "007", 2**80]
    assert ids(answer) == ids(ask(films, liked=[70]))


@pytest.mark.parametrize("request_", [{"liked": [1, 2, 3, 4]}, {"disliked": ["x"]}, {"liked": ["\ud800"]}])
def test_nothing_but_unknown_ids_is_refused(films: Client, request_: dict[str, Any]) -> None:
    answer = ask(films, **request_)
    assert (answer.status, answer.json["error"]["code"]) == (422, "items_unknown")
    assert answer.json["error"]["field"] == "liked"


@pytest.mark.parametrize("request_", [{}, {"liked": [], "disliked": []}, {"k": 3}])
def test_a_request_without_any_item_is_refused(films: Client, request_: dict[str, Any]) -> None:
    answer = ask(films, **request_)
    assert (answer.status, answer.json["error"]["field"]) == (422, "liked")
    assert "at least one film" in answer.json["error"]["message"]


def test_filters_pages_and_diversity_apply(films: Client) -> None:
    whole = ids(ask(films, liked=[70], k=100))
    assert ids(ask(films, liked=[70], k=2, offset=3)) == whole[3:5]
    assert ids(ask(films, liked=[70], genre=["comedy"], year_from=1999)) == [30, 10]
    assert ids(ask(films, liked=[70], exclude=[80, "60"], exclude_genre=["comedy", "ROMANCE"])) == [50, 40]
    assert ids(ask(films, liked=[70], k=2, diversity=1)) == [80, 10]
    assert ask(films, liked=[70], genre=["unknown"]).json["reason"] == "unknown_genre"


def test_a_recommendation_is_explained_by_what_is_liked(films: Client) -> None:
    items = ask(films, liked=[10, 70], disliked=[20], k=8, explain=True).json["items"]
    because = {item["id"]: [film["id"] for film in item["because"]] for item in items}
    assert because[60] == [70, 10]
    assert because[30] == [10, 70]


def test_a_model_whose_encoder_says_nothing_answers_popular_films(client: Client) -> None:
    answer = ask(client, liked=[20], k=2)
    assert (answer.json["source"], ids(answer)) == ("popular", [10, 30])


def test_each_list_is_counted_by_its_source(films: Client) -> None:
    def lists(source: str) -> float:
        found = re.search(rf'^recommender_lists_total{{source="{source}"}} (\S+)$', metrics(), re.MULTILINE)
        return float(found[1]) if found else 0

    def metrics() -> str:
        return films.get("/metrics").body.decode()

    before = [lists(source) for source in ("fold_in", "popular", "personalised")]
    ask(films, liked=[70], k=2)
    films.post("/recommendations/batch", {"user_ids": [1, 2, "unknown"], "k": 1})
    films.get("/users/4/recommendations?k=2&genre=comedy")
    films.get("/items/popular")
    after = [lists(source) for source in ("fold_in", "popular", "personalised")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 3]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"liked": [70], "k": "10"}, "k"), ({"liked": [70], "k": 10.5}, "k"), ({"liked": [70], "k": True}, "k"),
        ({"liked": [70], "k": 101}, "k"), ({"liked": [70], "offset": 1001}, "offset"), ({"liked": "70"}, "liked"),
        ({"liked": [70, None]}, "liked.1"), ({"liked": [True]}, "liked.0"), ({"liked": [1.5]}, "liked.0"),
        ({"liked": [[]]}, "liked.0"), ({"liked": [""]}, "liked.0"), ({"liked": [1e400]}, "liked.0"),
        ({"liked": [1] * 1001}, "liked"), ({"disliked": [1] * 1001}, "disliked"), ({"disliked": None}, "disliked"),
        ({"liked": [70], "diversity": 1.01}, "diversity"), ({"liked": [70], "diversity": float("nan")}, "diversity"),
        ({"liked": [70], "explain": "yes"}, "explain"), ({"liked": [70], "genre": "Comedy"}, "genre"),
        ({"liked": [70], "genre": [5]}, "genre.0"), ({"liked": [70], "genre": ["\ud800"]}, "genre.0"),
        ({"liked": [70], "year_from": "1999"}, "year_from"), ({"liked": [70], "exclude": [None]}, "exclude.0"),
        ({"like": [70]}, "like"), ({"\ud800": 1}, "body"), ({"liked": [70], "include_seen": True}, "include_seen"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(films: Client, request_: dict[str, Any], field: str) -> None:
    answer = ask(films, **request_)
    assert answer.status == 422, answer.body
    assert (answer.json["error"]["code"], answer.json["error"]["field"]) == ("invalid_parameter", field)


def test_a_thousand_wrong_ids_make_a_short_message(films: Client) -> None:
    message = ask(films, liked=[None] * 1000).json["error"]["message"]
    assert message.endswith("And 995 more.")
    assert len(message) < 600


@pytest.mark.parametrize("odd", [*ODD_IDS, "\ud800", "a\udfffb", "\udc00\ud800"])
def test_any_text_may_be_an_id(films: Client, odd: str) -> None:
    answer = ask(films, liked=[70, odd], disliked=[odd], exclude=[odd])
    assert answer.status == 200
    assert answer.json["unknown"] == [odd.encode("utf-16", "surrogatepass").decode("utf-16", "replace")]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"3", b'"liked"', b"{}{}"])
def test_a_body_that_is_no_object_is_refused(films: Client, body: bytes) -> None:
    answer = films.get("/recommendations", "POST", {"Content-Type": "application/json"}, body)
    assert (answer.status, answer.json["error"]["field"]) == (422, "body")


@pytest.mark.parametrize("body", [b"{", b'{"liked": [7', b"\xff\xfe{}", b"[" * 100_000, b'{"k": %s}' % (b"1" * 5000)])
def test_a_body_that_is_no_json_is_refused(films: Client, body: bytes) -> None:
    answer = films.get("/recommendations", "POST", {"Content-Type": "application/json"}, body)
    assert (answer.status, answer.json["error"]["field"]) == (422, "body")
    assert answer.json["error"]["message"].startswith("The body is not readable as JSON")


def test_a_body_that_is_not_marked_as_json_is_told_so(films: Client) -> None:
    marked_as_a_form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = films.get("/recommendations", "POST", marked_as_a_form, b'{"liked": [70]}')
    assert answer.status == 422
    assert "Content-Type: application/json" in answer.json["error"]["message"]


def test_without_a_model_the_answer_is_503(empty_client: Client) -> None:
    assert ask(empty_client, liked=[70]).json["error"]["code"] == "no_model"


@pytest.mark.parametrize(
    ("liked", "quoted"),
    [
        (["a"], "'a'."),
        ([1, 2, 3], "'1', '2', '3'."),
        ([1, 2, 3, 4], "'1', '2', '3', …."),
        (["x" * 30], f"'{'x' * 20}'."),
    ],
)
def test_of_films_that_are_all_unknown_three_are_named(films: Client, liked: list[int | str], quoted: str) -> None:
    error = films.post("/recommendations", {"liked": liked}).json["error"]
    assert (error["code"], error["field"]) == ("items_unknown", "liked")
    assert error["message"] == f"None of the films in liked and disliked is known: {quoted}"
