"""Which items pass a filter of the catalogue's columns."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.columns import NO_FLAG, NO_TIME, Arrays, Column, as_time
from app.contract.filter_language import ANY, MAX_QUOTED, Comparison, Expression, FilterError
from app.contract.folding import fold, fold_all
from app.contract.item_matrix import Mask, Rows
from app.contract.packed_text import texts_of

Values = npt.NDArray[Any]
COMPARE: Mapping[str, Callable[[Values, Any], Mask]] = {
    "=": operator.eq,
    ":": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FLAGS = {"true": 1, "false": 0}


class ItemFilter:
    """The columns that requests may filter by; an item without a value passes no comparison with it."""

    def __init__(self, columns: Iterable[Column], n_items: int) -> None:
        self._n_items = n_items
        self._columns = {column.name: _MATCHERS[column.type](column.arrays) for column in columns if column.filter}

    def all(self) -> Mask:
        """All items, bool (n_items,)."""
        return np.ones(self._n_items, dtype=bool)

    def tags(self, column: str) -> list[tuple[str, int]]:
        """Every tag of a column that an item has, with the number of its items, by name; none if it has no tags."""
        found = self._columns.get(column)
        return found.counts() if isinstance(found, _Tags) else []

    def knows_a_tag(self, column: str, tags: Iterable[str]) -> bool:
        """Whether one of these is a tag of the column."""
        found = self._columns.get(column)
        return isinstance(found, _Tags) and any(found.codes(tag) for tag in tags)

    def mask(self, expression: Expression) -> Mask:
        """The items that pass, bool (n_items,); raises FilterError for a column or a value that can't be compared."""
        if isinstance(expression, Comparison):
            return self._compared(expression)
        masks = [self.mask(part) for part in expression.parts]
        if expression.how == "not":
            return ~masks[0]
        combine = np.logical_and if expression.how == "all" else np.logical_or
        found: Mask = combine.reduce(masks)
        return found

    def _compared(self, comparison: Comparison) -> Mask:
        column = self._columns.get(comparison.column)
        where = f"at character {comparison.place}"
        if column is None:
            known = ", ".join(self._columns) or "none"
            raise FilterError(f"{comparison.column!r} {where} is not a column to filter by; choose from {known}")
        try:
            if comparison.operator == "!=":
                return ~column.match("=", comparison.value)
            if comparison.operator in ("=", ":") and comparison.value == ANY:
                return column.known()
            return column.match(comparison.operator, comparison.value)
        except ValueError as error:
            raise FilterError(f"{comparison.column} {where} {error}") from error


class _Numbers:
    """Numbers, times or flags; `known` marks those that are there."""

    def __init__(self, values: Values, known: Callable[[Values], Mask], read: Callable[[str], float]) -> None:
        self._values, self._known, self._read = values, known, read

    def known(self) -> Mask:
        """The items that have a value."""
        return self._known(self._values)

    def match(self, comparison: str | None, text: str) -> Mask:
        """The items for which the comparison holds; raises ValueError for a value of the wrong type."""
        if comparison is None:
            raise ValueError("needs a comparison, as in price <= 5: it is not a flag")
        found = COMPARE[comparison](self._values, self._read(text))
        # What stands for no value is below all others.
        return found if comparison in (">", ">=") else found & self.known()


class _Flags(_Numbers):
    """Flags, which hold without a comparison, too."""

    def match(self, comparison: str | None, text: str) -> Mask:
        """The items with this flag."""
        if comparison not in (None, "=", ":"):
            raise ValueError(f"is a flag: {comparison} compares numbers and times")
        return super().match("=", text if comparison else "true")


class _Tags:
    """Tags by item, compared as titles are: without case, accents and punctuation."""

    def __init__(self, arrays: Arrays) -> None:
        self._names = texts_of(arrays["names"], arrays["name_offsets"])
        self._indptr = arrays["indptr"]
        self._starts, self._rows = _rows_by_tag(arrays["indptr"], arrays["codes"], len(self._names))
        self._spelled = dict[str, list[int]]()
        for code, folded in enumerate(fold_all(self._names) if self._names else ()):
            self._spelled.setdefault(folded, []).append(code)

    def known(self) -> Mask:
        """The items that have a tag."""
        return np.diff(self._indptr) > 0

    def match(self, comparison: str | None, text: str) -> Mask:
        """The items with this tag, none if there is no such tag."""
        if comparison not in ("=", ":"):
            raise ValueError(f"holds tags: compare it by =, : or !=, not by {comparison or 'nothing'}")
        mask = np.zeros(len(self._indptr) - 1, dtype=bool)
        for code in self.codes(text):
            mask[self._rows[self._starts[code] : self._starts[code + 1]]] = True
        return mask

    def codes(self, tag: str) -> list[int]:
        """The numbers of the tags that are spelled so."""
        return self._spelled.get(fold(tag), [])

    def counts(self) -> list[tuple[str, int]]:
        """Every tag that an item has, with the number of its items, by name."""
        counts = np.diff(self._starts).tolist()
        return sorted((name, count) for name, count in zip(self._names, counts, strict=True) if count)


def _rows_by_tag(indptr: Rows, codes: npt.NDArray[np.int32], n_tags: int) -> tuple[Rows, Rows]:
    """Where the items of each tag begin in an array of their rows, each item once, and that array."""
    n_items = len(indptr) - 1
    pairs = np.sort(codes * np.int64(n_items) + np.repeat(np.arange(n_items), np.diff(indptr)))
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # without repeats; np.unique takes ten times as long
    starts = np.searchsorted(pairs, np.arange(n_tags + 1) * n_items)
    return starts, pairs % n_items


def _as_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"is a number, but {text[:MAX_QUOTED]!r} is not") from None


def _as_seconds(text: str) -> float:
    seconds = as_time(text)
    if seconds is None:
        raise ValueError(f"is a time, but {text[:MAX_QUOTED]!r} is not: write 2024-05-01 or 2024-05-01T18:30:00Z")
    return seconds


def _as_flag(text: str) -> float:
    if text not in FLAGS:
        raise ValueError(f"is a flag, true or false, not {text[:MAX_QUOTED]!r}")
    return FLAGS[text]


_MATCHERS: Mapping[str, Callable[[Arrays], _Numbers | _Tags]] = {
    "number": lambda arrays: _Numbers(arrays["values"], lambda values: ~np.isnan(values), _as_number),
    "time": lambda arrays: _Numbers(arrays["values"], lambda values: values != NO_TIME, _as_seconds),
    "flag": lambda arrays: _Flags(arrays["values"], lambda values: values != NO_FLAG, _as_flag),
    "tag": _Tags,
    "tags": _Tags,
}
