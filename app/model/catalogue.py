"""What is known of the films: looked up by row, filtered, searched by title."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from app.contract.artifact import Artifact
from app.contract.film_filter import FilmFilter
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
        self._filter = FilmFilter(catalogue)
        self._masks = dict[FilterKey, Mask]()

    def film(self, row: int) -> dict[str, Any]:
        """The fields of a film: id, title, year, genres."""
        return self._fields.film(row)

    def genres(self) -> list[tuple[str, int]]:
        """Every genre that a film has, as it is written, with the number of its films, sorted by name."""
        return self._filter.genres()

    def knows_a_genre(self, names: Iterable[str]) -> bool:
        """Whether one of these is a genre of the catalogue."""
        return self._filter.knows_a_genre(names)

    def allowed(self, filters: Filters) -> Mask | None:
        """The films that pass the filters for genres and years, bool (n_items,), read-only; None if none is given."""
        key = FilterKey.of(filters)
        if key is None:
            return None
        mask = self._masks.get(key)
        if mask is None:
            mask = self._filter.mask(*key)
            mask.flags.writeable = False
            # Threads that add at the same time do each other no harm: at worst one is made again.
            if len(self._masks) >= MASKS:
                self._masks.clear()
            self._masks[key] = mask
        return mask

    def search(self, query: str, allowed: Mask | None = None) -> Rows:
        """Rows of the films with such a title: the very title first, its beginning, its words, any part of it."""
        return self._search.search(query, allowed)
