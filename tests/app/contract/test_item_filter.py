"""The language of filters, and which items pass."""

from typing import Any

import numpy as np
import pytest

from app.contract.columns import Column
from app.contract.filter_language import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, FilterError, parse
from app.contract.item_filter import ItemFilter

COLUMNS = [
    Column("language", "tag").filled(["fr", "en", None, "fr", "Ja"]),
    Column("price", "number").filled([4.99, 5, 0, None, -2.5]),
    Column("free", "flag").filled([False, False, True, True, None]),
    Column("genres", "tags").filled([["Horror"], ["Sci-Fi", "Drama"], [], ["Drama"], ["Horror", "Drama"]]),
    Column("added", "time").filled([0, 86400, None, 86399, 1714521600]),
    Column("plot", "text", filter=False).filled("abcde"),
]
ITEMS = ItemFilter(COLUMNS, 5)


def passing(text: str) -> list[int]:
    return np.flatnonzero(ITEMS.mask(parse(text))).tolist()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('language = "fr" AND (price <= 4.99 OR free) AND NOT genres:Horror', [3]),
        ("language:FR", [0, 3]),
        ("language != fr", [1, 2, 4]),
        ("language:*", [0, 1, 3, 4]),
        ("NOT language:*", [2]),
        ("language = xx", []),
        ("price < 5", [0, 2, 4]),
        ("price<=-2.5", [4]),
        ("price > 4.99", [1]),
        ("price >= 4.99 price < 5", [0]),
        ("price != 5", [0, 2, 3, 4]),
        ("NOT price < 5", [1, 3]),
        ("free", [2, 3]),
        ("-free", [0, 1, 4]),
        ("free = false", [0, 1]),
        ("genres:'sci fi' OR genres:\"HORROR\"", [0, 1, 4]),
        ("free OR price = 5 AND genres:Drama", [1, 3]),  # OR binds tighter
        ("(free) OR (price = 5 AND genres:Drama)", [1, 2, 3]),
        ("added < 1970-01-02", [0, 3]),
        ("added >= 1970-01-02T00:00:00Z", [1, 4]),
        ("added >= 2024-05 AND added < 2025", [4]),
        ('language = "a\\\\\\"b"', []),
    ],
)
def test_a_filter_lets_pass_what_it_says(text: str, rows: list[int]) -> None:
    assert passing(text) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("langage = fr", "^'langage' at character 1 is not a column to filter by; choose from language, price"),
        ("free AND plot:x", "^'plot' at character 10 is not a column to filter by"),
        ("price = dear", "^price at character 1 is a number, but 'dear' is not"),
        ("price", "^price at character 1 needs a comparison"),
        ("free > true", "^free at character 1 is a flag: > compares numbers and times"),
        ("free = maybe", "^free at character 1 is a flag, true or false, not 'maybe'"),
        ("free genres < x", "^genres at character 6 holds tags: compare it by =, : or !=, not by <"),
        ("genres", "^genres at character 1 holds tags"),
        ("added > soon", "^added at character 1 is a time, but 'soon' is not: write 2024-05-01"),
        ("free AND AND free", "^'AND' at character 10 is not expected there"),
        ("free & price", "^'&' at character 6 is not expected there"),
        ("(free", "ends too early: it lacks a closing parenthesis$"),
        ("price =", "ends too early: it lacks a value$"),
        ("", "ends too early: it lacks a column$"),
        ('language = "fr', "at character 12 is not expected there"),
        ("f" * (MAX_LENGTH + 1), "^A filter has at most 1000 characters, not 1001"),
        (" ".join(["free"] * (MAX_TERMS + 1)), "^A filter has at most 50 comparisons, not 51"),
        ("NOT (" * 11 + "free" + ")" * 11, "^A filter has at most 10 levels inside one another, not 11"),
    ],
)
def test_a_filter_that_can_not_be_followed_names_the_word_and_its_place(text: str, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        passing(text)


def test_parentheses_alone_are_no_levels() -> None:
    assert passing("(" * 400 + "free" + ")" * 400) == [2, 3]
    assert MAX_DEPTH < 400


def test_random_filters_are_those_of_plain_python() -> None:
    rng = np.random.default_rng(0)
    prices: list[Any] = [4.99, 5, 0, None, -2.5]
    terms: dict[str, Any] = {
        "free": lambda row: [False, False, True, True, None][row] is True,
        "price < 5": lambda row: prices[row] is not None and prices[row] < 5,
        "genres:Drama": lambda row: row in (1, 3, 4),
    }
    for _ in range(50):
        first, second, third = rng.choice(list(terms), 3)
        expected = [r for r in range(5) if (terms[first](r) or terms[second](r)) and not terms[third](r)]
        assert passing(f"{first} OR {second} AND NOT {third}") == expected
