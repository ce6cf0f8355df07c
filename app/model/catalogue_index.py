"""What is known of the items: looked up by row, filtered, searched by title."""

from functools import lru_cache

from app.contract.artifact import Artifact
from app.contract.conditions import NO_CONDITIONS, Conditions
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
        fields = ItemFields(artifact.item_ids, catalogue)
        self.item, self.reason, self.content = fields.item, fields.reason, fields.content
        # Of `fields` and not of self: a circle would keep a former model until the garbage collector runs.
        self.fragment = lru_cache(FRAGMENTS)(fields.fragment)
        self.search = TitleSearch(catalogue, artifact.item_popularity, withdrawn).search
        self.filter = ItemFilter(catalogue.columns, len(artifact.item_ids))
        self._masks = dict[Conditions, Mask]()

    def allowed(self, filters: Filters) -> Mask | None:
        """The items that pass all filters but `exclude`, bool (n_items,), read-only; None if none is given.

        Raises InvalidParameterError for a filter that the columns can't answer.
        """
        key = filter_key(filters)
        if key is None:
            return None
        if (mask := self._masks.get(key)) is not None:
            return mask
        try:
            mask = key.mask(self.filter)
        except FilterError as error:
            raise InvalidParameterError(f"{error}.", field=error.parameter) from error
        mask.flags.writeable = False
        # Threads that add at the same time do each other no harm: at worst one is made again.
        if len(self._masks) >= MASKS:
            self._masks.clear()
        self._masks[key] = mask
        return mask
