import json

import numpy as np
import pytest

from app.model import catalogue_index
from app.model.catalogue_index import CatalogueIndex
from app.schemas.queries import Filters
from tests.artifacts import Film, make_artifact

FILMS = [
    Film("Léon: The Professional", 1994, ["Action", "Crime"]),
    Film("Spider-Man", 2002, ["Action", "Sci-Fi"]),
    Film("The Spider", None, []),
    Film("Schindler's List", 1993, ["Drama", "War"]),
    Film("Man", -44, ["drama"]),
    Film("Superman", 1978, ["Action", "Action"]),
    Film("…", 2000),
    Film("", 2000),
    Film("Ødipus\nStraße \0 \x85 女", 2000, ["Œuvre d'été"]),
]
POPULARITY = np.array([5, 9, 1, 7, 2, 9, 0, 0, 3])


def index_of(*films: Film) -> CatalogueIndex:
    return CatalogueIndex(make_artifact(item_ids=range(len(films)), films=films))


@pytest.fixture(scope="module")
def index() -> CatalogueIndex:
    return CatalogueIndex(make_artifact(item_ids=range(len(FILMS)), films=FILMS, item_popularity=POPULARITY))


@pytest.mark.parametrize("row", range(len(FILMS)))
def test_a_film_comes_back_as_it_was(index: CatalogueIndex, row: int) -> None:
    title, year, genres = FILMS[row]
    assert index.item(row) == {"id": row, "title": title, "year": year, "genres": list(genres)}
    assert json.loads(b"{%b}" % index.fragment(row)) == index.item(row)


def test_a_fragment_is_compact_json() -> None:
    fragment = index_of(Film('Say "é"', None, ["Sci-Fi", "A\nB"])).fragment(0)
    assert fragment == '"id":0,"title":"Say \\"é\\"","year":null,"genres":["Sci-Fi","A\\nB"]'.encode()


def test_ids_may_be_texts() -> None:
    assert CatalogueIndex(make_artifact(item_ids=['a"é'], films=[Film("x")])).item(0)["id"] == 'a"é'


def test_more_films_than_are_kept_as_json_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_index, "FRAGMENTS", 2)
    few = index_of(*FILMS)
    for row in [0, 1, 2, 0, 3, 2, 1]:
        assert json.loads(b"{%b}" % few.fragment(row))["title"] == FILMS[row].title


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("man", [4, 1, 5]),  # the very title, a word of it, a part
        ("spider", [1, 2]),  # its beginning before a word of it
        ("SPIDERMAN", []),
        ("spider man", [1]),
        ("spider-man", [1]),
        ("man spider", [1]),
        ("m s", [1]),
        ("leon", [0]),
        ("professional leon", [0]),
        ("schindlers", [3]),
        ("Schindler’s List", [3]),
        ("oedipus", [8]),
        ("odipus strasse", [8]),
        ("女", [8]),
        ("…", [6]),
        ("  ", []),
        ("\n", []),
        ("\0", []),
        ("list man", []),  # not across two titles
        ("xx leon", []),  # nor before the first
        ("the spidre", [2]),  # spelt almost so
        ("x" * 5000, []),
        ("\ud800", []),
    ],
)
def test_titles_are_found(index: CatalogueIndex, query: str, rows: list[int]) -> None:
    assert index.search(query).tolist() == rows


def test_among_many_titles_those_are_found_in_which_each_word_begins_one() -> None:
    rng = np.random.default_rng(0)
    titles = [" ".join(bytes(word).decode() for word in rng.integers(97, 100, (3, 3)).tolist()) for _ in range(500)]
    searched = index_of(*map(Film, titles))
    for query in titles[:20]:
        words = [word[:length] for word, length in zip(query.split(), (3, 2, 1), strict=True)]
        begun = {row for row, title in enumerate(titles) if all(f" {word}" in f" {title}" for word in words)}
        assert set(searched.search(" ".join(reversed(words))).tolist()) == begun


def test_more_filters_than_are_kept_change_nothing(index: CatalogueIndex) -> None:
    def allowed(year: int) -> list[bool]:
        mask = index.allowed(Filters(year_from=year))
        assert mask is not None
        passed: list[bool] = mask.tolist()
        return passed

    years = range(1960, 2020)
    first = [allowed(year) for year in years]
    assert [allowed(year) for year in reversed(years)] == first[::-1]
    assert len({tuple(mask) for mask in first}) > 2
    assert len(index._masks) <= catalogue_index.MASKS


def test_films_that_pass_a_filter_are_kept_beside_those_of_others(index: CatalogueIndex) -> None:
    first, _ = (index.allowed(Filters(year_from=year)) for year in (1990, 1991))
    assert index.allowed(Filters(year_from=1990)) is first


def test_a_search_finds_only_what_is_allowed(index: CatalogueIndex) -> None:
    assert index.search("man", np.arange(len(FILMS)) != 4).tolist() == [1, 5]


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({"genre": ["DRAMA"]}, [3, 4]),
        ({"genre": ["sci fi", "War"]}, [1, 3]),
        ({"genre": ["oeuvre d'ete"]}, [8]),
        ({"genre": ["Western"]}, []),
        ({"exclude_genre": ["action", "drama", "Western"]}, [2, 6, 7, 8]),
        ({"genre": ["action"], "exclude_genre": ["crime"]}, [1, 5]),
        ({"year_from": 1994, "year_to": 2000}, [0, 6, 7, 8]),
        ({"year_to": 1978}, [4, 5]),
        ({"year_from": 0, "year_to": 9999}, [0, 1, 3, 5, 6, 7, 8]),
        ({"year_from": 2000, "year_to": 1999}, []),
    ],
)
def test_filters_let_pass_what_they_say(index: CatalogueIndex, filters: dict[str, object], rows: list[int]) -> None:
    mask = index.allowed(Filters.model_validate(filters))
    assert mask is not None
    assert np.flatnonzero(mask).tolist() == rows


def test_no_filter_is_no_mask(index: CatalogueIndex) -> None:
    assert index.allowed(Filters()) is None


def test_genres_are_listed_as_they_are_written(index: CatalogueIndex) -> None:
    expected = [("Action", 3), ("Crime", 1), ("Drama", 1), ("Sci-Fi", 1), ("War", 1), ("drama", 1), ("Œuvre d'été", 1)]
    assert index.filter.tags("genres") == expected
    assert index.filter.knows_a_tag("genres", ["western", "WAR"])
    assert not index.filter.knows_a_tag("genres", ["western"])


def test_films_without_any_genre_can_be_filtered() -> None:
    index = index_of(Film("x"))
    mask = index.allowed(Filters(genre=["comedy"]))
    assert mask is not None
    assert not mask.any()
    assert index.filter.tags("genres") == []
