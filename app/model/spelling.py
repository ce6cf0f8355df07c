"""Known words, where they stand, and which of them are spelt almost like an unknown one."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

LONGEST = 16  # bytes of a word that are compared
CANDIDATES = 32  # words whose distance is computed
MOST_WORDS = 3

Pairs = npt.NDArray[np.uint16]
Rows = npt.NDArray[np.int64]


class Spelling:
    """Finds the words in the fewest steps from a misspelt one, among those that share most pairs of letters with it.

    Beginning and end of a word count as letters. Sharing is measured by the coefficient of Dice (1945).
    """

    def __init__(self, titles: bytes) -> None:
        """`titles` are folded: what is between their blanks and line breaks is a word."""
        lines = [line.split() for line in titles.split(b"\n")[1:-1]]
        terms = np.array([word[:LONGEST] for line in lines for word in line], dtype=f"S{LONGEST}")
        self._words, which, counts = np.unique(terms, return_inverse=True, return_counts=True)
        self._rows = np.repeat(np.arange(len(lines)), [len(line) for line in lines])[np.argsort(which, kind="stable")]
        self._firsts = np.concatenate([[0], np.cumsum(counts)])
        pairs = _pairs(self._words)
        key = np.unique((pairs.astype(np.int64) << 32 | np.arange(len(pairs))[:, None])[pairs > 0])
        self._places = key.astype(np.int32)  # the lower half: the words of each pair
        self._starts = np.searchsorted(key >> 32, np.arange(2**16 + 1))
        self._sizes = np.bincount(self._places, minlength=len(pairs)).astype(np.float32)

    def rows(self, beginning: bytes) -> Rows:
        """The lines of the titles in which a word begins like this."""
        ends = np.array([beginning, beginning.ljust(LONGEST, b"\xff")], dtype=self._words.dtype)
        first, last = np.searchsorted(self._words, ends[0]), np.searchsorted(self._words, ends[1], side="right")
        rows: Rows = np.unique(self._rows[self._firsts[first] : self._firsts[last]])
        return rows

    def near(self, word: bytes) -> list[bytes]:
        """The nearest words: within a step for three letters, two for six and more; none of a number."""
        most_steps = min(2, len(word) // 3)
        if word.isdigit() or not most_steps or not len(self._words):
            return []
        word = word[:LONGEST]
        known = [each for each in self._alike(word) if abs(len(each) - len(word)) <= most_steps]
        steps = distances(word, known)
        nearest = min([*steps, most_steps])
        return [each for each, count in zip(known, steps, strict=True) if count == nearest][:MOST_WORDS]

    def _alike(self, word: bytes) -> list[bytes]:
        """The words that share most pairs with this one, first the one that shares most."""
        pairs = [pair for pair in set(_pairs(np.array([word], f"S{LONGEST}"))[0].tolist()) if pair]
        sharing = [self._places[self._starts[pair] : self._starts[pair + 1]] for pair in pairs]
        shared = np.bincount(np.concatenate(sharing), minlength=len(self._words))
        some = np.flatnonzero(shared >= max(1, len(pairs) // 3))  # those with fewer are never near, or hardly ever
        best = some[np.argsort(-shared[some] / (self._sizes[some] + len(pairs)), kind="stable")[:CANDIDATES]]
        known: list[bytes] = self._words[best].tolist()
        return known


def distances(word: bytes, others: Iterable[bytes]) -> list[int]:
    """Count the steps from a word to others: to add, leave out or replace a letter, or to swap two neighbours.

    Source: Hyyrö, A bit-vector algorithm for computing Levenshtein and Damerau edit distances (2003); the bits of a
    number are a column of the table, so that it takes a step for each letter.
    """
    places: dict[int, int] = {}
    for place, letter in enumerate(word):
        places[letter] = places.get(letter, 0) | 1 << place
    return [_distance(places, len(word), other) for other in others]


def _distance(places: Mapping[int, int], length: int, other: bytes) -> int:
    every, last = (1 << length) - 1, 1 << length - 1
    rises, falls, zeros, before, steps = every, 0, 0, 0, length  # vertical differences, diagonal zeros
    for letter in other:
        equal = places.get(letter, 0)
        swapped = ((~zeros & equal) << 1) & before
        zeros = (((equal & rises) + rises) ^ rises) | equal | falls | swapped
        right, left = falls | ~(zeros | rises), zeros & rises
        steps += bool(right & last) - bool(left & last)
        right, left = right << 1 | 1, left << 1
        rises, falls, before = (left | ~(zeros | right)) & every, right & zeros & every, equal
    return steps


def _pairs(words: npt.NDArray[np.bytes_]) -> Pairs:
    """The pairs of letters of each word: uint16 (n_words, LONGEST + 1), 0 behind its end."""
    padded = np.zeros((len(words), LONGEST + 2), dtype=np.uint16)
    padded[:, 1:-1] = words.view(np.uint8).reshape(len(words), LONGEST)
    pairs: Pairs = padded[:, :-1] << np.uint16(8) | padded[:, 1:]
    return pairs
