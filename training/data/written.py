"""Writes the rows of a table as CSV, in the spellings that the readers of own files know."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from training.data.dataset import TIMESTAMP


def write_rows(path: Path, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a header and rows; each row is one line, so that an error about line n is one about row n - 1."""
    is_time = [name == TIMESTAMP for name in names]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([_seconds(cell) if time else _text(cell) for cell, time in zip(row, is_time, strict=True)])


def _text(cell: Any) -> str:  # noqa: ANN401
    if cell is None or cell != cell:  # a missing number is NaN
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, list | tuple):
        return "|".join(map(_text, cell))
    return " ".join(str(cell).splitlines())


def _seconds(cell: Any) -> str:  # noqa: ANN401
    """A moment in whole seconds since 1970; without a time zone it is in UTC."""
    if not isinstance(cell, date):  # a datetime is one
        return _text(cell)
    moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
    return str(int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()))
