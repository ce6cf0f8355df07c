"""Reads the values of columns from a file of items or of people, by their types."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from training.data.raw import ids
from training.data.raw.layouts import Layout
from training.data.raw.rows import Row, encoding_of, header, rows, value_error, width_error
from training.data.raw.schema import RULES, Fault, first_fault
from training.data.values import column_of, missing, reader
from training.params.catalogue import Attribute, ItemColumn


class Record(NamedTuple):
    """A line, from 1, and its texts by column."""

    line: int
    texts: dict[str, str]


def rows_of(path: Path, layout: Layout) -> Iterator[Row]:
    """The rows of a file of items or people."""
    return rows(path, layout.item_separator, encoding_of(path, layout.encodings), layout.remedy)


def complete(path: Path, lines: Iterator[Row], width: int, layout: Layout) -> Iterator[Row]:
    """The rows; raise DataError for the first that has not this number of fields."""
    for row in lines:
        if len(row.cells) != width:
            raise width_error(path, row, width, layout.remedy)
        yield row


def named_records(path: Path, layout: Layout, required: Sequence[str], optional: Sequence[str]) -> Iterator[Record]:
    """The records of a file whose first line names its columns, of which these are read."""
    lines = rows_of(path, layout)
    _, names = header(path, lines, required=required, optional=optional, remedy=layout.remedy)
    places = {name: place for place, name in enumerate(names) if name in (*required, *optional)}
    for line, cells in complete(path, lines, len(names), layout):
        yield Record(line, {name: cells[place].strip() for name, place in places.items()})


def refuse_faults(
    kind: str, table: pd.DataFrame, id_name: str, records: Sequence[Record], path: Path, layout: Layout
) -> None:
    """Raise DataError for the first of the records, which are `items` or `users`, that breaks a rule."""
    bad = ids.bad(pa.array([record.texts[id_name] for record in records], pa.string()))
    fault = Fault(int(bad.argmax()), id_name, RULES[id_name]) if bad.any() else first_fault(kind, table)
    if fault:
        record = records[fault.row]
        place = f"{path}, line {record.line}"
        raise value_error(place, fault.column, record.texts[fault.column], fault.rule, layout.remedy)


def values_of(
    columns: Mapping[str, Attribute] | Mapping[str, ItemColumn], section: str, records: Sequence[Record], path: Path,
    layout: Layout,
) -> dict[str, "pd.Series[Any]"]:  # fmt: skip
    """The values of each column; raise DataError for the first that doesn't fit its type.

    `section` is the one of params.yaml that has the types.
    """
    return {name: _values(name, column, section, records, path, layout) for name, column in columns.items()}


def _values(
    name: str, column: Attribute | ItemColumn, section: str, records: Sequence[Record], path: Path, layout: Layout
) -> "pd.Series[Any]":
    read, nothing, values = reader(column.type, column), missing(column.type), []
    for record in records:
        text = record.texts.get(name, "").strip()
        try:
            values.append(read(text) if text else nothing)
        except ValueError as error:
            remedy = f"{layout.remedy}, or change {section}.{name} in params.yaml"
            raise value_error(f"{path}, line {record.line}", name, text, str(error), remedy) from error
    return column_of(values, column.type)
