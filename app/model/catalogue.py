"""What is known of the films: looked up by row, filtered, searched by title."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from app.contract.artifact import Artifact
from app.contract.catalogue import NO_YEAR
from app.contract.folding import fold
from app.contract.recommender import Mask, Rows
from app.model.film_fields import FilmFields
from app.model.title_search import TitleSearch
from app.schemas.queries import Filters

# How many are kept, because the same few come again and again.
FRAGMENTS = 8192
MASKS = 16

Names = tuple[str, ...]


class FilterKey(NamedTuple):
    """The filters for genres and years."""

    genres: Names
    excluded: Names
    year_from: int | None
    year_to: int | None

    @classmethod
    def of(cls, filters: Filters) -> "FilterKey | None":
        """None if there is no such filter."""
        key = cls(tuple(filters.genre), tuple(filters.exclude_genre), filters.year_from, filters.year_to)
        return None if key == NO_FILTER else key


NO_FILTER = FilterKey((), (), None, None)


class CatalogueIndex:
    """The films of an artifact by row: their fields, masks for filters, and a search."""

    def __init__(self, artifact: Artifact) -> None:
        catalogue = artifact.catalogue
        self._fields = FilmFields(artifact.item_ids, catalogue)
        # Of `_fields` and not of self: a circle would keep a former model until the garbage collector runs.
        self.fragment = lru_cache(FRAGMENTS)(self._fields.fragment)
        self._search = TitleSearch(catalogue, artifact.item_popularity)
        self._years, self._genres = catalogue.years, catalogue.genres()
        self._genre_starts, self._genre_rows = self._rows_by_genre(artifact)
        self._spelled = dict[str, list[int]]()
        for code, genre in enumerate(self._genres):
            self._spelled.setdefault(fold(genre), []).append(code)
        self._masks = dict[FilterKey, Mask]()

    def film(self, row: int) -> dict[str, Any]:
        """The fields of a film: id, title, year, genres."""
        return self._fields.film(row)

    def genres(self) -> list[tuple[str, int]]:
        """Every genre that a film has, as it is written, with the number of its films, sorted by name."""
        counts = np.diff(self._genre_starts).tolist()
        return sorted((name, count) for name, count in zip(self._genres, counts, strict=True) if count)

    def knows_a_genre(self, names: Iterable[str]) -> bool:
        """Whether one of these is a genre of the catalogue."""
        return bool(self._codes_of(names))

    def allowed(self, filters: Filters) -> Mask | None:
        """The films that pass the filters for genres and years, bool (n_items,), read-only; None if none is given."""
        key = FilterKey.of(filters)
        if key is None:
            return None
        mask = self._masks.get(key)
        if mask is None:
            mask = self._mask(*key)
            # Threads that add at the same time do each other no harm: at worst one is made again.
            if len(self._masks) >= MASKS:
                self._masks.clear()
            self._masks[key] = mask
        return mask

    def search(self, query: str, allowed: Mask | None = None) -> Rows:
        """Rows of the films with such a title: the very title first, its beginning, its words, any part of it."""
        return self._search.search(query, allowed)

    def _mask(self, genres: Names, excluded: Names, year_from: int | None, year_to: int | None) -> Mask:
        mask = self._with_genre(genres) if genres else np.ones(len(self._years), dtype=bool)
        if excluded:
            mask &= ~self._with_genre(excluded)
        if year_from is not None:
            mask &= self._years >= year_from
        if year_to is not None:
            mask &= (self._years <= year_to) & (self._years != NO_YEAR)
        mask.flags.writeable = False
        return mask

    def _codes_of(self, names: Iterable[str]) -> list[int]:
        return [code for name in {fold(name) for name in names} for code in self._spelled.get(name, ())]

    def _with_genre(self, names: Iterable[str]) -> Mask:
        mask = np.zeros(len(self._years), dtype=bool)
        for code in self._codes_of(names):
            mask[self._genre_rows[self._genre_starts[code] : self._genre_starts[code + 1]]] = True
        return mask

    def _rows_by_genre(self, artifact: Artifact) -> tuple[Rows, Rows]:
        """Where the films of each genre begin in an array of their rows, each film once, and that array."""
        catalogue = artifact.catalogue
        n_items = len(self._years)
        owners = np.repeat(np.arange(n_items), np.diff(catalogue.genre_indptr))
        pairs = np.sort(catalogue.genre_codes * np.int64(n_items) + owners)
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # without repeats; np.unique takes ten times as long
        starts = np.searchsorted(pairs, np.arange(len(self._genres) + 1) * n_items)
        return starts, pairs % n_items
