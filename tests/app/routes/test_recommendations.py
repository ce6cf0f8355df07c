from pathlib import Path
from urllib.parse import quote

import pytest

from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings


def ids(client: Client, path: str) -> list[int]:
    return [item["id"] for item in client.get(path).json["items"]]


def test_a_known_user_gets_unseen_films_best_first(client: Client) -> None:
    answer = client.get("/users/1/recommendations?k=2")
    assert answer.status == 200
    assert answer.json == {
        "user_id": "1",
        "model_version": "7",
        "source": "personalised",
        "items": [
            {"rank": 1, "id": 40, "title": "Film 40", "year": 1990, "genres": ["Comedy", "Drama"], "score": 4.0},
            {"rank": 2, "id": 50, "title": "Film 50", "year": 1990, "genres": ["Comedy", "Drama"], "score": 3.0},
        ],
    }


def test_scores_are_rounded_to_six_decimals(client: Client) -> None:
    assert client.get("/users/1/recommendations").json["items"][-1]["score"] == 0.333333


def test_films_that_the_user_has_seen_are_left_out(client: Client) -> None:
    assert ids(client, "/users/1/recommendations?k=100") == [40, 50, 60, 30]


def test_a_list_is_shorter_where_no_more_unseen_films_exist(client: Client) -> None:
    assert ids(client, "/users/2/recommendations?k=5") == [60]


def test_an_unknown_user_gets_the_popular_films(client: Client) -> None:
    answer = client.get("/users/999/recommendations?k=3").json
    assert (answer["user_id"], answer["source"]) == ("999", "popular")
    assert [(item["id"], item["score"]) for item in answer["items"]] == [(10, 6.0), (20, 5.0), (30, 4.0)]


def test_a_known_user_without_a_vector_gets_unseen_popular_films(client: Client) -> None:
    answer = client.get("/users/3/recommendations?k=3").json
    assert answer["source"] == "popular"
    assert [(item["id"], item["score"]) for item in answer["items"]] == [(20, 5.0), (30, 4.0), (40, 3.0)]


def test_k_is_ten_unless_told(client: Client, tmp_path: Path, make_settings: MakeSettings) -> None:
    settings = make_settings()
    put_in_cache(settings, write(tmp_path / "served", make_artifact(item_ids=range(150))))
    with serving(settings) as large:
        assert [len(ids(large, f"/users/1/recommendations{k}")) for k in ("", "?k=1", "?k=100")] == [10, 1, 100]


@pytest.mark.parametrize("k", ["0", "-1", "101", "1.5", "ten", "", "1e1", "9" * 5000, "%00", "%FF", "NaN"])
def test_a_k_outside_1_to_100_is_refused_naming_field_and_value(client: Client, k: str) -> None:
    answer = client.get(f"/users/1/recommendations?k={k}")
    assert answer.status == 422
    error = answer.json["error"]
    assert (error["code"], error["field"]) == ("invalid_parameter", "k")
    assert error["message"].startswith("k is '")
    assert len(error["message"]) < 300


@pytest.mark.parametrize(
    "user_id",
    [
        "ä", "日本", "😀", " ", "a/b", "/", "//", "a/recommendations", "..", "../model", "%2F", "?", "#", "a\0b", "\0",
        "x" * 10_000, "1\0", "1 ", "01", "\r\n", "null", '"', "'; DROP TABLE users", "\u202e",
    ],
)  # fmt: skip
def test_any_text_may_be_a_user_id(client: Client, user_id: str) -> None:
    answer = client.get(f"/users/{quote(user_id, safe='')}/recommendations?k=1")
    assert (answer.status, answer.json["source"]) == (200, "popular")
    assert answer.json["user_id"] == user_id


def test_an_id_that_is_no_text_is_answered(client: Client) -> None:
    assert client.get("/users/%ff%fe/recommendations").json["user_id"] == "\ufffd\ufffd"


def test_an_empty_user_id_is_refused(client: Client) -> None:
    answer = client.get("/users//recommendations")
    assert (answer.status, answer.json["error"]["field"]) == (422, "user_id")


def test_ids_that_are_texts_are_answered_as_texts(tmp_path: Path, make_settings: MakeSettings) -> None:
    settings = make_settings()
    texts = ["a/b", "tt0114709", "é"]
    put_in_cache(settings, write(tmp_path / "served", make_artifact(user_ids=texts, item_ids=texts)))
    with serving(settings) as client:
        for user in texts:
            answer = client.get(f"/users/{quote(user, safe='')}/recommendations").json
            assert (answer["user_id"], answer["source"]) == (user, "personalised")
            assert {item["id"] for item in answer["items"]} == set(texts)


def test_without_a_model_the_answer_is_503(empty_client: Client) -> None:
    answer = empty_client.get("/users/1/recommendations")
    assert (answer.status, answer.json["error"]["code"]) == (503, "no_model")
