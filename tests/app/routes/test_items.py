from pathlib import Path
from urllib.parse import quote

import pytest

from tests.app.conftest import ODD_IDS, ids
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings


def test_a_film_is_described(films: Client) -> None:
    answer = films.get("/items/10")
    assert answer.status == 200
    assert answer.json == {
        "id": 10,
        "title": "Amélie",
        "year": 2001,
        "genres": ["Comedy", "Romance"],
        "model_version": "7",
        "interactions": 8,
        "available": True,
    }


def test_popular_films_come_with_their_number_of_interactions(films: Client) -> None:
    items = films.get("/items/popular?k=3").json["items"]
    assert [(item["rank"], item["id"], item["score"]) for item in items] == [(1, 10, 8.0), (2, 20, 7.0), (3, 30, 6.0)]


def test_similar_films_come_with_their_cosine(films: Client) -> None:
    answer = films.get("/items/20/similar?k=2").json
    assert answer["item_id"] == 20
    assert [(item["id"], item["score"]) for item in answer["items"]] == [(10, 0.98995), (30, 0.98387)]


def test_a_film_that_nobody_has_seen_is_similar_to_others(films: Client) -> None:
    assert films.get("/items/80").json["interactions"] == 0
    assert ids(films, "/items/80/similar?k=2") == [70, 60]
    assert ids(films, "/items/70/similar?k=2") == [80, 60]


def test_every_genre_is_listed_with_its_films(films: Client) -> None:
    genres = films.get("/genres").json["genres"]
    assert [genre["name"] for genre in genres] == sorted(genre["name"] for genre in genres)
    assert {genre["name"]: genre["films"] for genre in genres} == {
        "Action": 1, "Animation": 2, "Comedy": 3, "Crime": 1, "Horror": 2, "Romance": 1, "Sci-Fi": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("amelie", [10]),
        ("AMÉLIE", [10]),
        ("toy", [20, 30]),
        ("toy story 2", [30]),
        ("story toy", [20, 30]),
        ("the matrix", [50]),
        ("alien3", [60]),
        ("$", [70]),
        ("ring", [40]),
        ("%20", []),
        ("matirx", [50]),
        ("toi sotry", [20, 30]),
        ("nothing like it", []),
        ("%00", []),
        ("%FF", []),
    ],
)
def test_films_are_found_by_title(films: Client, query: str, found: list[int]) -> None:
    assert ids(films, f"/items?query={quote(query, safe='%')}") == found


def test_a_search_takes_filters_and_pages(films: Client) -> None:
    assert ids(films, "/items?query=toy&year_from=1996") == [30]
    assert ids(films, "/items?query=toy&exclude=20") == [30]
    answer = films.get("/items?query=toy&k=1&offset=1").json
    assert (answer["total"], [item["id"] for item in answer["items"]]) == (2, [30])
    assert answer["items"][0]["interactions"] == 6


@pytest.mark.parametrize(("query", "field"), [("", "query"), ("query=", "query"), (f"query={'x' * 201}", "query")])
def test_a_search_needs_a_text(films: Client, query: str, field: str) -> None:
    answer = films.get(f"/items?{query}")
    assert (answer.status, answer.json["error"]["field"]) == (422, field)


@pytest.mark.parametrize("suffix", ["", "/similar"])
@pytest.mark.parametrize("item_id", ODD_IDS)
def test_an_unknown_film_is_told_so(films: Client, item_id: str, suffix: str) -> None:
    answer = films.get(f"/items/{quote(item_id, safe='')}{suffix}")
    assert (answer.status, answer.json["error"]["code"]) == (404, "item_unknown")
    assert answer.json["error"]["field"] == "item_id"
    assert len(answer.json["error"]["message"]) < 400


@pytest.mark.parametrize("path", ["/items/", "/items//similar"])
def test_an_empty_item_id_is_refused(films: Client, path: str) -> None:
    answer = films.get(path)
    assert (answer.status, answer.json["error"]["field"]) == (422, "item_id")


def test_ids_that_are_texts_are_found_but_for_those_that_are_routes(
    tmp_path: Path, make_settings: MakeSettings
) -> None:
    settings, texts = make_settings(), ["a/b", "é", "popular", "x/similar"]
    put_in_cache(settings, write(tmp_path / "served", make_artifact(item_ids=texts)))
    with serving(settings) as client:
        for text in ("a/b", "é"):
            assert client.get(f"/items/{quote(text, safe='')}").json["id"] == text
        for text in texts:
            assert client.get(f"/items/{quote(text, safe='')}/similar").json["item_id"] == text
        assert len(client.get("/items/popular").json["items"]) == 4
        assert client.get("/items/x%2Fsimilar").status == 404


@pytest.mark.parametrize("path", ["/items?query=x", "/items/1", "/items/1/similar", "/items/popular", "/genres"])
def test_without_a_model_the_answer_is_503(empty_client: Client, path: str) -> None:
    assert empty_client.get(path).status == 503
