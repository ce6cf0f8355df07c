"""The rules of placements for the items of one version, and lists that are kept for a minute."""

import time
from collections.abc import Callable, Hashable
from typing import NamedTuple

from app.contract.filter_language import FilterError
from app.contract.item_filter import ItemFilter
from app.contract.placed import Placed
from app.contract.placement import Placement
from app.contract.rules import Rules
from app.errors import InvalidParameterError
from app.model.kept import KeptAMinute


class _Kept(NamedTuple):
    placed: Placed
    rules: Rules


class PlacedLists:
    """What placements need of one version; it holds no model, which would be a circle."""

    def __init__(self) -> None:
        self._rules: dict[str, Rules] = {}
        self._lists = KeptAMinute[_Kept]()

    def rules(self, name: str, placement: Placement, items: ItemFilter, item_row: Callable[[str], int | None]) -> Rules:
        """The rules of a placement, made anew when it has changed, or the time of a pin has come.

        Raises InvalidParameterError where the version's columns can't answer its filter.
        """
        rules, now = self._rules.get(name), time.time()
        if rules is None or rules.placement is not placement or now >= rules.until:
            try:
                rules = self._rules[name] = Rules(placement, items, item_row, now)
            except FilterError as error:
                message = f"The filter of the placement {name}: {error}."
                raise InvalidParameterError(message, field="placement") from error
        return rules

    def list(self, key: Hashable, rules: Rules, make: Callable[[], Placed]) -> Placed:
        """The list of a key that stands for all that it depends on, made again after a minute or by other rules."""
        kept = self._lists.get(key)
        if kept is None or kept.rules is not rules:
            kept = self._lists.put(key, _Kept(make(), rules))
        return kept.placed
