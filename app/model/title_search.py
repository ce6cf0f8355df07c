"""Films by title."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property, reduce
from itertools import product

import numpy as np
import numpy.typing as npt

from app.contract.catalogue import BREAK, Catalogue
from app.contract.folding import fold
from app.contract.recommender import Mask, Rows
from app.model.spelling import Spelling

EXACT, BEGINNING, WORDS, INSIDE, ALIKE, NOWHERE = range(6)
SPACE = b" "
SCANNED = 3  # characters that are compared everywhere
MOST_MISSPELT = 2  # words of a query


class TitleSearch:
    """Finds a folded query in the folded titles, which are one piece of memory."""

    def __init__(self, catalogue: Catalogue, popularity: npt.NDArray[np.int64]) -> None:
        """`popularity`, int64 (n_items,), orders films that match alike."""
        self._titles, self._breaks, self._popularity = catalogue.folded_titles, catalogue.folded_breaks, popularity

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(self._titles.tobytes())  # takes tenths of a second, and the first misspelt query waits for it

    def search(self, query: str, allowed: Mask | None = None) -> Rows:
        """Rows of the films with such a title: the very title first, its beginning, its words, any part of it.

        Where there is none, those whose titles have words that are spelt almost like those of the query.
        """
        text = fold(query).encode(errors="replace")
        if not text:
            return np.empty(0, dtype=np.int64)
        ranks = np.full(len(self._popularity), NOWHERE, dtype=np.int8)
        find = cache(self._find)  # a query of one word is looked for once
        places = find(text)
        beginnings = places[self._titles[places - 1] == ord(BREAK)]
        whole = beginnings[self._titles[beginnings + len(text)] == ord(BREAK)]
        ranks[self._rows_of(places)] = INSIDE
        ranks[self._with_words(text.split(), find)] = WORDS
        ranks[self._rows_of(beginnings)] = BEGINNING
        ranks[self._rows_of(whole)] = EXACT
        if ranks.min() == NOWHERE:
            for words in self._respelt(text.split()):
                ranks[reduce(np.intersect1d, map(self._spelling.rows, words))] = ALIKE
        if allowed is not None:
            ranks[~allowed] = NOWHERE
        found = np.flatnonzero(ranks != NOWHERE)
        ordered: Rows = found[np.lexsort((found, -self._popularity[found], ranks[found]))]
        return ordered

    def _with_words(self, words: Iterable[bytes], find: Callable[[bytes], Rows]) -> Rows:
        """Rows of the titles in which each of the words begins a word."""
        common: Rows | None = None
        for word in sorted(set(words), key=len, reverse=True):
            places = find(word)
            before = self._titles[places - 1]
            rows = self._rows_of(places[(before == ord(SPACE)) | (before == ord(BREAK))])
            common = rows if common is None else common[np.isin(common, rows)]
            if not len(common):
                break
        return np.empty(0, dtype=np.int64) if common is None else common

    def _respelt(self, words: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
        """The query with known words in place of those that begin no word; not of many, which takes too long."""
        unknown = {word for word in words if not len(self._spelling.rows(word))}
        if not 0 < len(unknown) <= MOST_MISSPELT:
            return ()
        return product(*(self._spelling.near(word) if word in unknown else [word] for word in dict.fromkeys(words)))

    def _find(self, text: bytes) -> Rows:
        """Where the text begins in the titles."""
        n = max(0, len(self._titles) - len(text) + 1)
        found = self._titles[:n] == text[0]
        for offset, character in enumerate(text[1:SCANNED], start=1):
            found &= self._titles[offset : offset + n] == character
        places = np.flatnonzero(found)
        # Few places are left: each step reads only these.
        for offset, character in enumerate(text[SCANNED:], start=SCANNED):
            places = places[self._titles[places + offset] == character]
        return places

    def _rows_of(self, places: Rows) -> Rows:
        rows = np.searchsorted(self._breaks, places) - 1
        return rows[np.diff(rows, prepend=-1) > 0]  # without repeats; np.unique takes ten times as long
