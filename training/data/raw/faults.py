"""Locates what is wrong in a file of ratings, by a second, slow reading for the message only."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.data.raw.layouts import PARQUET, Layout
from training.data.raw.rows import Row, header, rows, value_error, width_error
from training.data.raw.schema import NUMBER, RULES, Fault
from training.data.raw.tables import value_at
from training.errors import DataError

_SPELLINGS = {
    RATING: re.compile(NUMBER),
    TIMESTAMP: re.compile(r"\s*-?[0-9]{1,19}\s*"),
}


class Columns(NamedTuple):
    """The columns of a file of ratings in its order, by our names where we have one, and the lines above the data."""

    names: list[str]
    lines_above: int


def columns_of(path: Path, layout: Layout) -> Columns:
    """Read the columns of a file of ratings; raise DataError where one is missing or there twice."""
    lines = rows(path, layout.separator, "utf-8-sig", layout.remedy)
    if layout.header is None:
        return Columns([USER_ID, ITEM_ID, RATING, TIMESTAMP], 0)
    ours = {name: theirs for theirs, name in layout.header.items()}
    required = [theirs for name, theirs in ours.items() if name not in layout.optional]
    optional = [theirs for name, theirs in ours.items() if name in layout.optional]
    line, names = header(path, lines, required=required, optional=optional, remedy=layout.remedy)
    return Columns([layout.header.get(name, f"ignored {name}") for name in names], line)


def wrong_value(path: Path, layout: Layout, fault: Fault) -> DataError:
    """The error for a readable value that breaks a rule."""
    place, cell = _find(path, layout, fault.row, fault.column)
    return value_error(place, fault.column, cell, fault.rule, layout.remedy)


def unknown_film(path: Path, layout: Layout, row: int, others: int) -> DataError:
    """Make the error for a rating of a film that the file of films lacks."""
    place, cell = _find(path, layout, row, ITEM_ID)
    more = f" (nor are {others} other ids)" if others else ""
    return DataError(
        f"{place}: item_id {cell!r} isn't in {layout.items}{more}; add the film there or remove its "
        f"ratings; {layout.remedy}"
    )


def unreadable(path: Path, layout: Layout, reason: str) -> DataError:
    """Make the error for a file that the fast parser refused for this reason."""
    return wrong_row(path, layout) or DataError(f"{path} can't be read: {reason}; {layout.remedy}")


def wrong_row(path: Path, layout: Layout) -> DataError | None:
    """Make the error for the first row with a field too many or too few or a number in no usual spelling."""
    columns = columns_of(path, layout).names
    count = 0
    for row in _data(path, layout):
        if len(row.cells) != len(columns):
            return width_error(path, row, len(columns), layout.remedy)
        for name, spelling in _SPELLINGS.items():
            cell = row.cells[columns.index(name)] if name in columns else "0"
            if not spelling.fullmatch(cell):
                return value_error(f"{path}, line {row.line}", name, cell, RULES[name], layout.remedy)
        count += 1
    return None if count else DataError(f"{path} holds no ratings; {layout.remedy}")


def _data(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows below the header."""
    lines = rows(path, layout.separator, "utf-8-sig", layout.remedy)
    if layout.header is not None:
        next(lines, None)
    return lines


def _find(path: Path, layout: Layout, number: int, column: str) -> tuple[str, str]:
    """Place and text of a value in the row of this number."""
    if layout is PARQUET:
        return value_at(path, layout, number, column)
    place = columns_of(path, layout).names.index(column)
    line, cells = next(islice(_data(path, layout), number, None))
    return f"{path}, line {line}", cells[place]
