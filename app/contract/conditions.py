"""The conditions that a request sets for items: a filter, and parameters that are short for one."""

from collections.abc import Callable
from typing import Any, NamedTuple

from app.contract.filter_language import Comparison, Expression, FilterError, combined, parse
from app.contract.item_filter import ItemFilter
from app.contract.item_matrix import Mask

# The columns that the short parameters compare.
GENRES, YEAR = "genres", "year"
Names = tuple[str, ...]


class Conditions(NamedTuple):
    """A filter in the language of filters, and genres and years; an item must pass all."""

    filter: str | None = None
    genres: Names = ()
    excluded: Names = ()
    year_from: int | None = None
    year_to: int | None = None

    def mask(self, items: ItemFilter) -> Mask:
        """The items that pass, bool (n_items,); raises FilterError, which names the parameter."""
        given: tuple[tuple[str, Any, Callable[[Any], Expression]], ...] = (
            ("filter", self.filter or None, parse),
            ("genre", self.genres or None, _any_tag),
            ("exclude_genre", self.excluded or None, lambda tags: combined("not", [_any_tag(tags)])),
            ("year_from", self.year_from, lambda year: Comparison(YEAR, ">=", str(year))),
            ("year_to", self.year_to, lambda year: Comparison(YEAR, "<=", str(year))),
        )
        mask = items.all()
        for parameter, value, read in given:
            if value is not None:
                mask &= _mask(items, parameter, value, read)
        return mask


NO_CONDITIONS = Conditions()


def _mask(items: ItemFilter, parameter: str, value: object, read: Callable[[Any], Expression]) -> Mask:
    try:
        return items.mask(read(value))
    except FilterError as error:
        raise FilterError(f"{parameter}: {error}", parameter) from error


def _any_tag(tags: Names) -> Expression:
    return combined("any", [Comparison(GENRES, ":", tag) for tag in tags])
