"""What is known of the items: looked up by row, filtered, searched by title."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from app.contract.artifact import Artifact
from app.contract.columns import Value
from app.contract.conditions import GENRES, NO_CONDITIONS, Conditions
from app.contract.filter_language import FilterError
from app.contract.item_filter import ItemFilter
from app.contract.item_matrix import Mask, Rows
from app.contract.ranking import NO_ROWS
from app.errors import InvalidParameterError
from app.model.item_fields import ItemFields
from app.model.title_search import TitleSearch
from app.schemas.queries import Filters

# How many are kept, because the same few come again and again.
FRAGMENTS = 8192
MASKS = 16


def filter_key(filters: Filters) -> Conditions | None:
    """All filters but the excluded ids; None without any."""
    genres, excluded = tuple(filters.genre), tuple(filters.exclude_genre)
    key = Conditions(filters.filter, genres, excluded, filters.year_from, filters.year_to)
    return None if key == NO_CONDITIONS else key


class CatalogueIndex:
    """The items of an artifact by row: their fields, masks for filters, and a search."""

    def __init__(self, artifact: Artifact, withdrawn: Rows = NO_ROWS) -> None:
        """`withdrawn` are rows that no search finds."""
        catalogue = artifact.catalogue
        self.columns = catalogue.columns
        self._fields = ItemFields(artifact.item_ids, catalogue)
        # Of `_fields` and not of self: a circle would keep a former model until the garbage collector runs.
        self.fragment = lru_cache(FRAGMENTS)(self._fields.fragment)
        self._search = TitleSearch(catalogue, artifact.item_popularity, withdrawn)
        self.filter = ItemFilter(catalogue.columns, len(artifact.item_ids))
        self._masks = dict[Conditions, Mask]()

    def item(self, row: int) -> dict[str, Value]:
        """The fields of an item: id, title, and the columns that are shown."""
        return self._fields.item(row)

    def reason(self, row: int, of: int) -> dict[str, Any]:
        """The item in this row as a reason for showing the item `of`, with the tags that both have."""
        return self._fields.reason(row, of)

    def content(self, row: int) -> dict[str, Any]:
        """An item as a change of the catalogue has it: the title, and the columns with a value."""
        return self._fields.content(row)

    def tags(self, column: str) -> list[tuple[str, int]]:
        """Every tag of a column that an item has, with the number of its items, by name."""
        return self.filter.tags(column)

    def knows_a_genre(self, names: Iterable[str]) -> bool:
        """Whether one of these is a genre of the catalogue."""
        return self.filter.knows_a_tag(GENRES, names)

    def allowed(self, filters: Filters) -> Mask | None:
        """The items that pass all filters but `exclude`, bool (n_items,), read-only; None if none is given.

        Raises InvalidParameterError for a filter that the columns can't answer.
        """
        key = filter_key(filters)
        if key is None:
            return None
        mask = self._masks.get(key)
        if mask is None:
            mask = self._mask(key)
            mask.flags.writeable = False
            # Threads that add at the same time do each other no harm: at worst one is made again.
            if len(self._masks) >= MASKS:
                self._masks.clear()
            self._masks[key] = mask
        return mask

    def _mask(self, key: Conditions) -> Mask:
        try:
            return key.mask(self.filter)
        except FilterError as error:
            raise InvalidParameterError(f"{error}.", field=error.parameter) from error

    def search(self, query: str, allowed: Mask | None = None) -> Rows:
        """Rows of the films with such a title: the very title first, its beginning, its words, any part of it."""
        return self._search.search(query, allowed)
