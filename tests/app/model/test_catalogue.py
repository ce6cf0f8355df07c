import json

import numpy as np
import pytest

from app.model.catalogue import CatalogueIndex, fold
from app.schemas.items import Film
from app.schemas.queries import Filters

FILMS = [
    Film(title="Léon: The Professional", year=1994, genres=["Action", "Crime"]),
    Film(title="Spider-Man", year=2002, genres=["Action", "Sci-Fi"]),
    Film(title="The Spider", year=None, genres=[]),
    Film(title="Schindler's List", year=1993, genres=["Drama", "War"]),
    Film(title="Man", year=-44, genres=["drama"]),
    Film(title="Superman", year=1978, genres=["Action", "Action"]),
    Film(title="…", year=2000),
    Film(title="", year=2000),
    Film(title="Ødipus\nStraße \0 \x85 女", year=2000, genres=["Œuvre d'été"]),
]
POPULARITY = np.array([5, 9, 1, 7, 2, 9, 0, 0, 3])


@pytest.fixture(scope="module")
def index() -> CatalogueIndex:
    return CatalogueIndex(range(len(FILMS)), FILMS, POPULARITY)


@pytest.mark.parametrize("row", range(len(FILMS)))
def test_a_film_comes_back_as_it_was(index: CatalogueIndex, row: int) -> None:
    assert index.film(row) == {"id": row, **FILMS[row].model_dump()}
    assert json.loads(b"{%b}" % index.fragment(row)) == index.film(row)


def test_ids_may_be_texts() -> None:
    assert CatalogueIndex(['a"é'], [Film(title="x")], np.array([0])).film(0)["id"] == 'a"é'


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
        ("oedipus", []),
        ("odipus strasse", [8]),
        ("女", [8]),
        ("…", [6]),
        ("  ", []),
        ("\n", []),
        ("\0", []),
        ("list man", []),  # not across two titles
        ("x" * 5000, []),
        ("\ud800", []),
    ],
)
def test_titles_are_found(index: CatalogueIndex, query: str, rows: list[int]) -> None:
    assert index.search(query).tolist() == rows


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
    assert index.genres() == expected
    assert index.knows_a_genre(["western", "WAR"])
    assert not index.knows_a_genre(["western"])


def test_films_without_any_genre_can_be_filtered() -> None:
    index = CatalogueIndex([1], [Film(title="x")], np.array([0]))
    mask = index.allowed(Filters(genre=["comedy"]))
    assert mask is not None
    assert not mask.any()
    assert index.genres() == []


def test_text_that_utf8_can_not_express_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        CatalogueIndex([1], [Film.model_construct(title="\ud800", year=None, genres=[])], np.array([0]))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Amélie", "amelie"), ("ÅNGSTRÖM", "angstrom"), ("Straße", "strasse"), ("İstanbul", "istanbul"),
        ("Łódź", "lodz"), ("Don't", "dont"), ("WALL·E", "wall e"), ("Alien³", "alien3"), ("ﬁlm", "film"), ("Ⅳ", "iv"),
        ("", ""), ("!?", "!?"),
    ],
)  # fmt: skip
def test_texts_are_compared_without_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded
