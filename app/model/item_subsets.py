"""Copies of the items that pass filters which come again and again."""

import numpy as np

from app.contract.conditions import Conditions
from app.contract.item_matrix import ItemMatrix
from app.model.catalogue_index import CatalogueIndex, filter_key
from app.schemas.queries import Filters

MOST_BYTES = 32 << 20
MOST_FILTERS = 64
LEAST_SAVED = 0.5  # of all items; copies of more would hardly be quicker to score than the whole


class ItemSubsets:
    """The items kept by filters, so that those alone are scored; at most MOST_BYTES in all.

    Copying takes as long as a few requests, so it is done when a filter comes a second time.
    """

    def __init__(self, all_items: ItemMatrix, catalogue: CatalogueIndex) -> None:
        self._all_items, self._catalogue = all_items, catalogue
        self._asked = dict[Conditions, ItemMatrix | None]()

    def of(self, filters: Filters) -> ItemMatrix | None:
        """The items that pass the filters, `exclude` left aside; None where all items are to be scored."""
        key, mask, asked = filter_key(filters), self._catalogue.allowed(filters), self._asked
        if key is None or mask is None:
            return None
        if key not in asked:
            self._keep(key, None)
            return None
        items = asked[key]
        if items is None and self._is_worth_it(int(np.count_nonzero(mask)), len(mask)):
            items = self._all_items.only(mask)
            self._keep(key, items)
        return items

    def _is_worth_it(self, kept: int, n_items: int) -> bool:
        bytes_of_item = self._all_items.n_bytes / n_items
        return kept <= (1 - LEAST_SAVED) * n_items and kept * bytes_of_item <= MOST_BYTES

    def _keep(self, key: Conditions, items: ItemMatrix | None) -> None:
        # A new dictionary each time: another thread may be reading the former one.
        asked = {**self._asked, key: items}
        while sum(each.n_bytes for each in asked.values() if each) > MOST_BYTES or len(asked) > MOST_FILTERS:
            del asked[next(iter(asked))]
        self._asked = asked
