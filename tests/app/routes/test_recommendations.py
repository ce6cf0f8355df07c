from pathlib import Path
from urllib.parse import quote

import pytest

from tests.app.conftest import ODD_IDS, ids
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings


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


@pytest.mark.parametrize("user_id", ODD_IDS)
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


def test_films_that_the_user_has_seen_come_back_when_asked_for(films: Client) -> None:
    assert ids(films, "/users/1/recommendations?include_seen=true&k=3") == [10, 20, 30]
    assert ids(films, "/users/3/recommendations?include_seen=true&k=2") == [10, 20]
    assert ids(films, "/users/1/recommendations?include_seen=false&k=2") == [30, 40]


def test_a_film_that_nobody_has_seen_is_recommended_to_those_it_suits(films: Client) -> None:
    assert ids(films, "/users/4/recommendations?k=2") == [80, 70]


def test_diversity_goes_from_the_best_to_the_most_unlike(films: Client) -> None:
    assert ids(films, "/users/4/recommendations?k=3&diversity=0") == [80, 70, 60]
    assert ids(films, "/users/4/recommendations?k=2&diversity=1") == [80, 10]
    for diversity in ("0", "0.5", "1"):
        assert sorted(ids(films, f"/users/4/recommendations?k=100&diversity={diversity}")) == list(range(10, 90, 10))


def test_more_than_the_pool_of_diversity_is_one_list_in_pages(tmp_path: Path, make_settings: MakeSettings) -> None:
    settings = make_settings()
    put_in_cache(settings, write(tmp_path / "served", make_artifact(item_ids=range(1, 701))))
    with serving(settings) as large:
        pages = [
            ids(large, f"/users/1/recommendations?k=90&offset={offset}&diversity=0.5") for offset in range(0, 700, 90)
        ]
    assert sorted(item for page in pages for item in page) == list(range(1, 701))


def test_a_recommendation_is_explained_by_the_user_s_own_films(films: Client) -> None:
    items = films.get("/users/2/recommendations?include_seen=true&explain=true&k=8").json["items"]
    because = {item["id"]: [film["id"] for film in item["because"]] for item in items}
    assert because[40] == [30, 50, 20]
    only = films.get("/users/3/recommendations?explain=true&k=1").json["items"][0]
    assert only["because"] == [{"id": 10, "title": "Amélie", "shared": {"genres": ["Comedy"]}}]
    horror = next(item for item in items if item["id"] == 40)
    assert [film.get("shared") for film in horror["because"]] == [None] * 3


def test_only_films_that_the_user_has_liked_explain(films: Client) -> None:
    answer = films.get("/users/1/recommendations?explain=true&k=8").json
    assert [[film["id"] for film in item["because"]] for item in answer["items"]] == [[20]] * 6


def test_a_film_does_not_explain_itself(films: Client) -> None:
    items = films.get("/users/2/recommendations?include_seen=true&explain=true&k=8").json["items"]
    assert [item["id"] for item in items if item["id"] in [film["id"] for film in item["because"]]] == []
    assert [film["id"] for film in items[0]["because"]] == [20, 30, 50]


def test_nothing_explains_what_an_unknown_user_gets(films: Client) -> None:
    assert films.get("/users/unknown/recommendations?explain=true&k=1").json["items"][0]["because"] == []
    assert films.get("/users/1/recommendations?explain=true&genre=unknown").json["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("diversity=-0.1", "diversity"), ("diversity=1.1", "diversity"), ("diversity=NaN", "diversity"),
        ("diversity=inf", "diversity"), ("explain=perhaps", "explain"), ("include_seen=", "include_seen"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_wrong_is_named(films: Client, query: str, field: str) -> None:
    answer = films.get(f"/users/1/recommendations?{query}")
    assert (answer.status, answer.json["error"]["field"]) == (422, field)
