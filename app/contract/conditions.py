"""The conditions that a request sets for items: a filter, and parameters that are short for one."""

from collections.abc import Callable
from typing import NamedTuple

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
        mask = items.all()
        for parameter, read in self._given().items():
            mask &= _mask(items, parameter, read)
        return mask

    def _given(self) -> dict[str, Callable[[], Expression]]:
        """Make a reader for each parameter that is given."""
        given: dict[str, Callable[[], Expression]] = {}
        if text := self.filter:
            given["filter"] = lambda: parse(text)
        if self.genres:
            given["genre"] = lambda: _any_tag(self.genres)
        if self.excluded:
            given["exclude_genre"] = lambda: combined("not", [_any_tag(self.excluded)])
        if self.year_from is not None:
            given["year_from"] = lambda: Comparison(YEAR, ">=", str(self.year_from))
        if self.year_to is not None:
            given["year_to"] = lambda: Comparison(YEAR, "<=", str(self.year_to))
        return given


NO_CONDITIONS = Conditions()


def _mask(items: ItemFilter, parameter: str, read: Callable[[], Expression]) -> Mask:
    try:
        return items.mask(read())
    except FilterError as error:
        raise FilterError(f"{parameter}: {error}", parameter) from error


def _any_tag(tags: Names) -> Expression:
    return combined("any", [Comparison(GENRES, ":", tag) for tag in tags])
