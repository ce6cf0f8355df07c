"""Reads the rows of a text file with their line numbers: slow, but errors can name the line."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from training.errors import DataError


class Row(NamedTuple):
    """A line that isn't blank."""

    line: int  # of its start, as an editor counts, from 1
    cells: list[str]


def rows(path: Path, separator: str, encoding: str, remedy: str) -> Iterator[Row]:
    """Yield every row of a file; quotes count only where the separator is a comma."""
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        lines = _quoted(path, file) if separator == "," else _plain(file, separator)
        for line, cells in lines:
            # Bytes that can't be decoded become surrogates, which can't be encoded.
            try:
                "".join(cells).encode()
            except UnicodeEncodeError as error:
                raise DataError(f"{path}, line {line} isn't UTF-8; save the file as UTF-8; {remedy}") from error
            yield Row(line, cells)


def header(path: Path, lines: Iterator[Row], *, required: Sequence[str], optional: Sequence[str], remedy: str) -> Row:
    """Read the column names in a file's first row; raise DataError where one is missing or there twice."""
    first = next(lines, None)
    if first is None:
        raise DataError(f"{path} is empty; {remedy}")
    names = [name.strip() for name in first.cells]
    expected = ",".join(required) + "".join(f"[,{name}]" for name in optional)
    if missing := [name for name in required if name not in names]:
        raise DataError(
            f"{path} lacks the column {missing[0]}: line {first.line} should name {expected}, separated by commas, "
            f"and is {','.join(names)[:200]!r}; {remedy}"
        )
    if twice := [name for name in (*required, *optional) if names.count(name) > 1]:
        raise DataError(f"{path} has the column {twice[0]} {names.count(twice[0])} times; {remedy}")
    return Row(first.line, names)


def width_error(path: Path, row: Row, width: int, remedy: str) -> DataError:
    """Make the error for a row with a field too many or too few."""
    hint = "a text that holds a comma needs quotes; " if len(row.cells) > width and path.suffix == ".csv" else ""
    if any("\n" in cell for cell in row.cells):
        hint = "is a quotation mark left open?; "
    return DataError(f"{path}, line {row.line} has {len(row.cells)} fields instead of {width}; {hint}{remedy}")


def value_error(place: str, column: str, value: str, rule: str, remedy: str) -> DataError:
    """Make the error for a value that breaks a rule; `place` is a file and a line, `rule` says what it should be."""
    return DataError(f"{place}: {column} {value!r} should be {rule}; {remedy}")


def encoding_of(path: Path, encodings: Sequence[str]) -> str:
    """Find the first of the encodings that decodes the whole of a small file, or take the last."""
    content = path.read_bytes()
    for encoding in encodings[:-1]:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return encodings[-1]


def _quoted(path: Path, file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: {error}; is a quotation mark open, or isn't it text?"
        ) from error


def _plain(file: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(file, start=1):
        if stripped := text.rstrip("\r\n"):
            yield line, stripped.split(separator)
