from functools import cache

import numpy as np
import pytest

from app.model.spelling import Spelling, distances

TITLES = b"\nthe shawshank redemption\ntoy story\nstar wars\nthe matrix\namelie\nalien 1979\nthe destroyer\n"


@pytest.mark.parametrize(
    ("word", "near"),
    [
        (b"shawshak", [b"shawshank"]),  # a letter left out
        (b"redemptionn", [b"redemption"]),  # added
        (b"alian", [b"alien"]),  # replaced
        (b"stroy", [b"story"]),  # two swapped, though the destroyer shares more pairs
        (b"wras", [b"wars"]),
        (b"matricks", []),  # three steps
        (b"1978", []),  # a number is another number
        (b"to", []),  # so short that anything is near
        (b"x" * 5000, []),
    ],
)
def test_the_nearest_words_are_known_ones_within_two_steps(word: bytes, near: list[bytes]) -> None:
    assert Spelling(TITLES).near(word) == near
    assert Spelling(b"\n").near(word) == []


@pytest.mark.parametrize(
    ("beginning", "rows"),
    [(b"the", [0, 3, 6]), (b"s", [0, 1, 2]), (b"storyy", []), (b"zz", []), (b"a", [4, 5]), (b"shawshank", [0])],
)
def test_titles_are_found_by_the_beginning_of_a_word(beginning: bytes, rows: list[int]) -> None:
    assert Spelling(TITLES).rows(beginning).tolist() == rows
    assert not len(Spelling(b"\n").rows(beginning))


def test_distances_are_those_of_the_table_filled_by_hand() -> None:
    rng = np.random.default_rng(0)
    words = [bytes(rng.integers(97, 101, rng.integers(1, 9)).tolist()) for _ in range(40)]
    for word in words:
        assert distances(word, words) == [by_table(word, other) for other in words]


def by_table(one: bytes, other: bytes) -> int:
    @cache
    def steps(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        found = min(steps(i - 1, j) + 1, steps(i, j - 1) + 1, steps(i - 1, j - 1) + (one[i - 1] != other[j - 1]))
        swapped = i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]
        return min(found, steps(i - 2, j - 2) + 1) if swapped else found

    return steps(len(one), len(other))
