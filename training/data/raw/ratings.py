"""Reads ratings of every layout into one kind of table, fast enough for tens of millions of rows."""

from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.data.raw import ids
from training.data.raw.faults import columns_of, unknown_film, unreadable, wrong_row, wrong_value
from training.data.raw.items import read_items
from training.data.raw.layouts import PARQUET, Layout, detect
from training.data.raw.pairs import read_pairs
from training.data.raw.schema import RULES, Fault, first_fault
from training.data.raw.tables import as_texts, read_table

# Each id is stored once, and its number in each row: less memory than texts, and as fast as numbers.
_TYPES = {
    USER_ID: pa.dictionary(pa.int32(), pa.string()),
    ITEM_ID: pa.dictionary(pa.int32(), pa.string()),
    RATING: pa.float32(),
    TIMESTAMP: pa.int64(),
}


def read_ratings(directory: Path) -> pd.DataFrame:
    """Read ratings in file order: user_id, item_id, rating (float32) and, if there, timestamp (int64, seconds).

    Where the split is given there is `held_out` (bool) too. Ids are int64 if all of a column are numbers, else text;
    item ids are of the same type as those of `read_items`. Ratings are NaN where the file has none. Raises
    DataError that names file, line and value.
    """
    layout = detect(directory)
    if layout.test is not None:
        return read_pairs(directory, layout, read_items(directory, {}))
    path = directory / layout.ratings
    items = read_items(directory, {})
    table = read_table(path, layout) if layout is PARQUET else _parse(path, layout)
    frame = {
        USER_ID: _ids(table[USER_ID], path, layout, USER_ID, None),
        ITEM_ID: _ids(table[ITEM_ID], path, layout, ITEM_ID, None if items is None else items[ITEM_ID]),
    }
    for name in (RATING, TIMESTAMP):
        if name in table.column_names:
            frame[name] = _numbers(table[name], path, layout, name)
    ratings = pd.DataFrame(frame, copy=False)
    if fault := first_fault("ratings", ratings):
        raise wrong_value(path, layout, fault)
    if RATING not in ratings:
        ratings.insert(2, RATING, np.full(len(ratings), np.nan, np.float32))
    return ratings


def _parse(path: Path, layout: Layout) -> pa.Table:
    """Read the columns in use with Arrow."""
    names, lines_above = columns_of(path, layout)
    types = {name: _TYPES[name] for name in names if name in _TYPES}
    if layout.separator == "::":  # Arrow takes one character: between two colons it reads an empty column
        names = [name for column in names for name in (column, f"after {column}")][:-1]
        types |= {name: pa.null() for name in names if name not in types}
    try:
        table = csv.read_csv(
            path,
            csv.ReadOptions(column_names=names, skip_rows=lines_above),
            csv.ParseOptions(delimiter=layout.separator[0], quote_char=False if layout.header is None else '"'),
            csv.ConvertOptions(column_types=types, include_columns=list(types), null_values=[""]),
        )
    except pa.ArrowInvalid as error:
        raise unreadable(path, layout, str(error)) from error
    if not len(table):
        raise unreadable(path, layout, "it has no rows")
    # Arrow takes 0x1 for a number. Texts that hold "0x" may be ids, so a slow reading decides.
    if _holds_hexadecimal(path) and (wrong := wrong_row(path, layout)):
        raise wrong
    return table


def _holds_hexadecimal(path: Path) -> bool:
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        return any(content.find(prefix) >= 0 for prefix in (b"0x", b"0X"))


def _ids(column: pa.ChunkedArray, path: Path, layout: Layout, name: str, known: "pd.Series[Any] | None") -> object:
    """The id of every row. Of items, `known` are all that the file of films holds; the ids get their type."""
    if pa.types.is_integer(column.type):
        if known is None or known.dtype == np.int64:
            return _whole(column, path, layout, known)
        column = as_texts(column)
    encoded = column.combine_chunks()
    texts = pc.utf8_trim_whitespace(encoded.dictionary)
    numbers = encoded.indices.to_numpy()
    if (bad := ids.bad(texts)).any():
        raise wrong_value(path, layout, Fault(_first(bad, numbers), name, RULES[name]))
    if known is None:
        return _spread(ids.typed(texts), numbers)
    unknown = ~pc.is_in(texts, pa.array(known.astype(str), pa.string())).to_numpy(zero_copy_only=False)
    if unknown.any():
        raise unknown_film(path, layout, _first(unknown, numbers), int(unknown.sum()) - 1)
    return _spread(ids.typed(texts) if known.dtype == np.int64 else ids.as_text(texts), numbers)


def _whole(
    column: pa.ChunkedArray, path: Path, layout: Layout, known: "pd.Series[Any] | None"
) -> npt.NDArray[np.int64]:
    """Ids that are numbers already; every number can be one."""
    numbers = np.require(column.to_numpy(), dtype=np.int64, requirements="W")
    if known is not None:
        distinct = column.unique().to_numpy()
        if len(unknown := distinct[~np.isin(distinct, known.to_numpy())]):
            raise unknown_film(path, layout, int(np.isin(numbers, unknown).argmax()), len(unknown) - 1)
    return numbers


def _first(flags: npt.NDArray[np.bool_], numbers: npt.NDArray[np.int32]) -> int:
    """The first row whose id is flagged."""
    return int(flags.take(numbers).argmax())


def _spread(distinct: ids.Ids, numbers: npt.NDArray[np.int32]) -> object:
    """Distinct ids, repeated as the rows have them."""
    return pd.Series(distinct.tolist()).array.take(numbers)


def _numbers(column: pa.ChunkedArray, path: Path, layout: Layout, name: str) -> npt.NDArray[np.generic]:
    if column.null_count:
        raise wrong_value(path, layout, Fault(int(pc.index(pc.is_null(column), True).as_py()), name, RULES[name]))
    return np.require(column.to_numpy(), requirements="W")  # Arrow's own memory is read-only
