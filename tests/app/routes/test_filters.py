"""Filters hold on every path that lists films."""

from collections.abc import Callable

import pytest

from tests.app.conftest import FILMS, ids
from tests.client import Client

# A known user, a known user without a vector, an unknown user, and lists that are for no user.
LISTS = [
    "/users/4/recommendations",
    "/users/3/recommendations",
    "/users/unknown/recommendations",
    "/users/4/recommendations?diversity=0.7",
    "/users/unknown/recommendations?diversity=1",
    "/items/popular",
    "/items/trending",
    "/items/70/similar",
]
Passes = Callable[[str, int | None, list[str]], bool]
FILTERS: dict[str, Passes] = {
    "genre=horror": lambda title, year, genres: "Horror" in genres,
    "genre=sci+fi&genre=CRIME": lambda title, year, genres: bool({"Sci-Fi", "Crime"} & set(genres)),
    "exclude_genre=comedy&exclude_genre=Horror": lambda title, year, genres: not {"Comedy", "Horror"} & set(genres),
    "year_from=1999": lambda title, year, genres: year is not None and year >= 1999,
    "year_to=1995": lambda title, year, genres: year is not None and year <= 1995,
    "year_from=1995&year_to=1999&exclude_genre=action": lambda title, year, genres: title.startswith("Toy"),
    "filter=genres:horror+OR+year<=1995": lambda title, year, genres: (
        "Horror" in genres or (year is not None and year <= 1995)
    ),
    "filter=year:*+AND+NOT+genres:comedy&year_from=1990": lambda title, year, genres: (
        year is not None and year >= 1990 and "Comedy" not in genres
    ),
    "exclude=20&exclude=80&exclude=unknown": lambda title, year, genres: title not in ("Toy Story", "Never Shown"),
    "exclude_genre=unknown": lambda title, year, genres: True,
}


def filtered(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}&k=100"


@pytest.mark.parametrize("query", FILTERS)
@pytest.mark.parametrize("path", LISTS)
def test_a_filter_leaves_all_that_passes_and_nothing_else(films: Client, path: str, query: str) -> None:
    without = ids(films, filtered(path, ""))
    passing = {item for item in without if FILTERS[query](*FILMS[item])}
    assert set(ids(films, filtered(path, query))) == passing


@pytest.mark.parametrize("query", FILTERS)
def test_a_filter_keeps_the_order(films: Client, query: str) -> None:
    for path in LISTS:
        if "diversity" not in path:
            kept = ids(films, filtered(path, query))
            assert kept == [item for item in ids(films, filtered(path, "")) if item in kept]


@pytest.mark.parametrize("path", LISTS)
def test_a_page_is_that_part_of_the_whole_list(films: Client, path: str) -> None:
    whole = ids(films, filtered(path, "exclude=40"))
    for offset in range(len(whole) + 2):
        page = films.get(filtered(path, f"exclude=40&offset={offset}").replace("k=100", "k=2")).json["items"]
        assert [item["id"] for item in page] == whole[offset : offset + 2]
        assert [item["rank"] for item in page] == list(range(offset + 1, offset + 1 + len(page)))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/users/4/recommendations?k=8", None),
        ("/users/4/recommendations?k=9", "end_of_catalogue"),
        ("/users/4/recommendations?k=1&offset=8", "end_of_catalogue"),
        ("/users/1/recommendations?k=6", None),
        ("/users/1/recommendations?k=7", "seen"),
        ("/users/3/recommendations?k=8", "seen"),
        ("/users/1/recommendations?k=7&include_seen=true", None),
        ("/users/1/recommendations?k=9&include_seen=true", "end_of_catalogue"),
        ("/users/1/recommendations?k=6&exclude=80", "filtered"),
        ("/users/1/recommendations?k=6&exclude=10", None),
        ("/users/1/recommendations?k=100&exclude=10", "seen"),
        ("/users/1/recommendations?k=1&year_from=2000&year_to=1999", "filtered"),
        ("/users/1/recommendations?genre=unknown", "unknown_genre"),
        ("/users/1/recommendations?genre=unknown&genre=crime", "filtered"),
        ("/users/2/recommendations?genre=comedy", "filtered"),
        ("/users/unknown/recommendations?k=8", None),
        ("/users/unknown/recommendations?k=9", "end_of_catalogue"),
        ("/users/unknown/recommendations?genre=horror", "filtered"),
        ("/items/popular?k=8", None),
        ("/items/trending?k=9", "end_of_catalogue"),
        ("/items/popular?k=8&exclude=10", "filtered"),
        ("/items/10/similar?k=7", None),
        ("/items/10/similar?k=8", "end_of_catalogue"),
        ("/items/10/similar?k=7&exclude=20", "filtered"),
    ],
)
def test_a_short_list_says_what_keeps_it_short(films: Client, path: str, reason: str | None) -> None:
    answer = films.get(path)
    assert (answer.status, answer.json.get("reason")) == (200, reason)
    assert ("reason" in answer.json) == (reason is not None)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("k=0", "k"), ("k=101", "k"), ("k=ten", "k"), ("offset=-1", "offset"), ("offset=1001", "offset"),
        ("year_from=MCM", "year_from"), ("year_from=-1", "year_from"), ("year_to=10000", "year_to"),
        ("year_to=", "year_to"), ("k=1&k=", "k"),
        ("genre=", "genre.0"), (f"genre=a&genre={'x' * 201}", "genre.1"), ("genre=a&" * 51, "genre"),
        (f"exclude_genre={'x' * 201}", "exclude_genre.0"), ("exclude_genre=a&" * 51, "exclude_genre"),
        ("exclude=1&exclude=", "exclude.1"), ("exclude=1&" * 1001, "exclude"), (f"exclude={'x' * 16_385}", "exclude.0"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused_by_name(films: Client, query: str, field: str) -> None:
    for path in ("/users/1/recommendations", "/items/popular", "/items/trending", "/items/10/similar"):
        answer = films.get(f"{path}?{query}")
        assert answer.status == 422
        assert (answer.json["error"]["code"], answer.json["error"]["field"]) == ("invalid_parameter", field)
        assert len(answer.json["error"]["message"]) < 600


def test_as_much_as_is_allowed_is_answered(films: Client) -> None:
    excluded = "&".join(f"exclude={number}" for number in range(1000))
    genres = "&".join(f"exclude_genre={number}" for number in range(50))
    assert ids(films, f"/users/4/recommendations?k=100&offset=0&{excluded}&{genres}&year_to=9999&year_from=0") == []


@pytest.mark.parametrize("path", [*LISTS, "/items?query=toy"])
def test_a_filter_that_can_not_be_followed_names_the_word_and_its_place(films: Client, path: str) -> None:
    answer = films.get(filtered(path, "filter=year>1990+AND+genre:Horror"))
    assert answer.status == 422
    assert answer.json["error"]["field"] == "filter"
    message = "filter: 'genre' at character 15 is not a column to filter by; choose from year, genres."
    assert answer.json["error"]["message"] == message


def test_a_filter_is_followed_in_a_body(films: Client) -> None:
    wanted = {"liked": [20], "filter": "genres:horror", "k": 100}
    assert films.post("/recommendations", wanted).json["items"]
    for item in films.post("/recommendations", wanted).json["items"]:
        assert "Horror" in item["genres"]
    [batch] = films.post("/recommendations/batch", {"user_ids": [4], "filter": "genres:horror"}).json["answers"]
    assert ids(films, "/users/4/recommendations?filter=genres:horror") == [item["id"] for item in batch["items"]]


def test_the_columns_are_described(films: Client) -> None:
    year, genres = films.get("/columns").json["columns"]
    assert year == {"name": "year", "type": "number", "filter": True, "shown": True, "tags": []}
    assert (genres["name"], genres["type"]) == ("genres", "tags")
    counts = {genre["name"]: genre["films"] for genre in films.get("/genres").json["genres"]}
    assert {tag["name"]: tag["films"] for tag in genres["tags"]} == counts
