"""Which films pass filters for genres and years."""

from collections.abc import Iterable

import numpy as np

from app.contract.catalogue import NO_YEAR, Catalogue
from app.contract.folding import fold
from app.contract.item_matrix import Mask, Rows


class FilmFilter:
    """The films of a catalogue by genre and year; genres are compared as titles are."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._years, self._genres = catalogue.years, catalogue.genres()
        self._genre_starts, self._genre_rows = _rows_by_genre(catalogue)
        self._spelled = dict[str, list[int]]()
        for code, genre in enumerate(self._genres):
            self._spelled.setdefault(fold(genre), []).append(code)

    def genres(self) -> list[tuple[str, int]]:
        """Every genre that a film has, as it is written, with the number of its films, sorted by name."""
        counts = np.diff(self._genre_starts).tolist()
        return sorted((name, count) for name, count in zip(self._genres, counts, strict=True) if count)

    def knows_a_genre(self, names: Iterable[str]) -> bool:
        """Whether one of these is a genre of the catalogue."""
        return bool(self._codes_of(names))

    def mask(self, genres: Iterable[str], excluded: Iterable[str], year_from: int | None, year_to: int | None) -> Mask:
        """Mark the films with one of `genres`, if any is given, none of `excluded`, of these years: bool (n_items,)."""
        genres, excluded = tuple(genres), tuple(excluded)
        mask = self._with_genre(genres) if genres else np.ones(len(self._years), dtype=bool)
        if excluded:
            mask &= ~self._with_genre(excluded)
        if year_from is not None:
            mask &= self._years >= year_from
        if year_to is not None:
            mask &= (self._years <= year_to) & (self._years != NO_YEAR)
        return mask

    def _codes_of(self, names: Iterable[str]) -> list[int]:
        return [code for name in {fold(name) for name in names} for code in self._spelled.get(name, ())]

    def _with_genre(self, names: Iterable[str]) -> Mask:
        mask = np.zeros(len(self._years), dtype=bool)
        for code in self._codes_of(names):
            mask[self._genre_rows[self._genre_starts[code] : self._genre_starts[code + 1]]] = True
        return mask


def _rows_by_genre(catalogue: Catalogue) -> tuple[Rows, Rows]:
    """Where the films of each genre begin in an array of their rows, each film once, and that array."""
    n_items, n_genres = len(catalogue.years), len(catalogue.genre_name_offsets) - 1
    owners = np.repeat(np.arange(n_items), np.diff(catalogue.genre_indptr))
    pairs = np.sort(catalogue.genre_codes * np.int64(n_items) + owners)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # without repeats; np.unique takes ten times as long
    starts = np.searchsorted(pairs, np.arange(n_genres + 1) * n_items)
    return starts, pairs % n_items
