"""Films by title."""

from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from itertools import product

import numpy as np
import numpy.typing as npt

from app.contract.catalogue import BREAK, Catalogue
from app.contract.folding import fold
from app.contract.item_matrix import Mask, Rows
from app.contract.ranking import NO_ROWS
from app.model.spelling import Spelling

EXACT, BEGINNING, WORDS, INSIDE, ALIKE, NOWHERE = range(6)
SPACE = b" "
SCANNED = 3  # characters that are compared everywhere
FEW = 16  # fewer titles than this part of all are searched one place after the other
MOST_MISSPELT = 2  # words of a query


class TitleSearch:
    """Finds a folded query in the folded titles, which are one piece of memory."""

    def __init__(self, catalogue: Catalogue, popularity: npt.NDArray[np.int64], withdrawn: Rows = NO_ROWS) -> None:
        """`popularity`, int64 (n_items,), orders films that match alike; `withdrawn` are rows that are never found."""
        self._titles, self._breaks, self._popularity = catalogue.folded_titles, catalogue.folded_breaks, popularity
        self._withdrawn = withdrawn

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
        words = sorted(set(text.split()), key=len, reverse=True)
        found = self._find(words[0])  # the whole query can be only where its longest word is
        places = self._filter(found - text.index(words[0]), text)
        beginnings = places[self._titles[places - 1] == ord(BREAK)]
        whole = beginnings[self._titles[beginnings + len(text)] == ord(BREAK)]
        ranks[self._rows_of(places)] = INSIDE
        ranks[self._with_words(words, found)] = WORDS
        ranks[self._rows_of(beginnings)] = BEGINNING
        ranks[self._rows_of(whole)] = EXACT
        if ranks.min() == NOWHERE:
            for known in self._respelt(text.split()):
                ranks[reduce(np.intersect1d, map(self._spelling.rows, known))] = ALIKE
        if allowed is not None:
            ranks[~allowed] = NOWHERE
        ranks[self._withdrawn] = NOWHERE
        rows = np.flatnonzero(ranks != NOWHERE)
        ordered: Rows = rows[np.lexsort((rows, -self._popularity[rows], ranks[rows]))]
        return ordered

    def _with_words(self, words: Sequence[bytes], places: Rows) -> Rows:
        """Rows of the titles in which each of the words begins a word; `places` are those of the first one."""
        common = self._beginning(places)
        for word in words[1:]:
            if not len(common):
                break
            few = len(common) * FEW < len(self._popularity)
            found = self._filter(self._places_of(common), word) if few else self._find(word)
            common = common[np.isin(common, self._beginning(found))]
        return common

    def _beginning(self, places: Rows) -> Rows:
        """Rows of those places where a word begins."""
        before = self._titles[places - 1]
        return self._rows_of(places[(before == ord(SPACE)) | (before == ord(BREAK))])

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
        return self._filter(np.flatnonzero(found), text[SCANNED:], SCANNED)

    def _filter(self, places: Rows, text: bytes, start: int = 0) -> Rows:
        """The places behind which, from `start` on, the text stands; each step reads only those that are left."""
        for offset, character in enumerate(text, start):
            # Behind either end is a line break, as no text has one.
            places = places[self._titles.take(places + offset, mode="clip") == character]
        return places

    def _rows_of(self, places: Rows) -> Rows:
        rows = np.searchsorted(self._breaks, places) - 1
        return rows[np.diff(rows, prepend=-1) > 0]  # without repeats; np.unique takes ten times as long

    def _places_of(self, rows: Rows) -> Rows:
        """Every place in these titles."""
        lengths = self._breaks[rows + 1] - self._breaks[rows]
        places: Rows = np.arange(lengths.sum()) + np.repeat(self._breaks[rows] + lengths - lengths.cumsum(), lengths)
        return places
