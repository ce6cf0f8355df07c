"""Reads ratings from parquet, a file or a folder of files, into the columns that the reader of text makes."""

from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import types

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.data.raw.layouts import Layout
from training.data.raw.rows import value_error
from training.data.raw.schema import NUMBER, RULES
from training.errors import DataError

_COLUMNS = (USER_ID, ITEM_ID, RATING, TIMESTAMP)


def read_table(path: Path, layout: Layout) -> pa.Table:
    """Read the columns in use: ids as int64 or as encoded texts, ratings as float32, times as int64 seconds.

    Raises DataError that names the file, the row, as counted from 1, and the value.
    """
    files = files_of(path, layout)
    names = _names(files[0], layout)
    for file in files[1:]:
        if (other := _names(file, layout)) != names:
            raise DataError(
                f"{file} has the columns {', '.join(other)}, and {files[0]} {', '.join(names)}; {layout.remedy}"
            )
    tables = [_converted(file, names, layout) for file in files]
    for name in (USER_ID, ITEM_ID):
        if len({types.is_integer(table[name].type) for table in tables}) > 1:
            tables = [_with_texts(table, name) for table in tables]
    table = pa.concat_tables(tables)
    if not len(table):
        raise DataError(f"{path} holds no ratings; {layout.remedy}")
    return table


def files_of(path: Path, layout: Layout) -> list[Path]:
    """The files of a folder, at any depth and in the order of their names; or the file itself."""
    files = [path] if path.is_file() else sorted(path.rglob(f"*{path.suffix}"))
    if not files:
        raise DataError(f"{path} holds no file *{path.suffix}; {layout.remedy}")
    return files


def value_at(path: Path, layout: Layout, row: int, column: str) -> tuple[str, str]:
    """Place and text of a value in the row of this number, from 0 and over all files."""
    for file in files_of(path, layout):
        if row < (length := pq.read_metadata(file).num_rows):
            value = pq.read_table(file, columns=[column])[column][row].as_py()
            return f"{file}, row {row + 1}", "" if value is None else str(value)
        row -= length
    raise IndexError(row)


def _names(file: Path, layout: Layout) -> list[str]:
    """Those of our columns that a file has."""
    try:
        names = pq.read_schema(file).names
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, error, layout) from error
    for name in _COLUMNS:
        if name not in names and name not in layout.optional:
            raise DataError(f"{file} lacks the column {name}; it has {', '.join(names)[:200]}; {layout.remedy}")
    return [name for name in _COLUMNS if name in names]


def _converted(file: Path, names: list[str], layout: Layout) -> pa.Table:
    try:
        table = pq.read_table(file, columns=names, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(file, error, layout) from error
    return pa.table({name: _column(table[name], file, name, layout) for name in names})


def _column(column: pa.ChunkedArray, file: Path, name: str, layout: Layout) -> pa.ChunkedArray:
    """A column in our type; raise DataError for the first value that doesn't fit."""
    convert = {RATING: _ratings, TIMESTAMP: _seconds}.get(name, _ids)
    try:
        return convert(column)
    except pa.ArrowInvalid:
        row = _first_wrong(column, convert)
        value = column[row].as_py()
        raise value_error(f"{file}, row {row + 1}", name, str(value), RULES[name], layout.remedy) from None
    except pa.ArrowNotImplementedError:
        raise DataError(
            f"{file}: the column {name} holds {column.type}; it should hold {RULES[name]}; {layout.remedy}"
        ) from None


def _first_wrong(column: pa.ChunkedArray, convert: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> int:
    """The first row that can't be converted: the beginning before it can, every longer one can't."""

    def fails(length: int) -> bool:
        try:
            convert(column.slice(0, length))
        except pa.ArrowInvalid:
            return True
        return False

    return bisect_left(range(len(column)), True, key=lambda row: fails(row + 1))


def _ids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers as they are; texts, of which a missing one is empty, each different one kept once."""
    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if types.is_integer(column.type) and column.type != pa.uint64() and not column.null_count:
        return column.cast(pa.int64())
    if not (types.is_integer(column.type) or types.is_string(column.type) or types.is_large_string(column.type)):
        raise pa.ArrowNotImplementedError(column.type)
    return pc.fill_null(column.cast(pa.string()), "").dictionary_encode()


def as_texts(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers as texts, each different one kept once."""
    encoded = numbers.dictionary_encode().combine_chunks()
    return pa.chunked_array([pa.DictionaryArray.from_arrays(encoded.indices, encoded.dictionary.cast(pa.string()))])


def _with_texts(table: pa.Table, name: str) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, name, as_texts(table[name])) if types.is_integer(table[name].type) else table


def _ratings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return _usual(column).cast(pa.float32(), safe=False)


def _seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers, or moments, of which one without a time zone is in UTC."""
    if types.is_temporal(column.type):
        return column.cast(pa.timestamp("s"), safe=False).cast(pa.int64())
    return _usual(column).cast(pa.int64())


def _usual(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers, or texts in the spellings of numbers that CSV may have."""
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        return column
    if not pc.all(pc.match_substring_regex(column, f"^{NUMBER}$"), min_count=0).as_py():
        raise pa.ArrowInvalid("no number")
    return pc.utf8_trim_whitespace(column)


def _unreadable(file: Path, error: Exception, layout: Layout) -> DataError:
    return DataError(f"{file} can't be read: {str(error).splitlines()[0][:300]}; {layout.remedy}")
