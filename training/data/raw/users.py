"""Reads what is known of people, of every layout, into one kind of table."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from training.data.dataset import USER_ID
from training.data.raw.layouts import Layout, detect
from training.data.raw.records import Record, complete, named_records, refuse_faults, rows_of, values_of
from training.data.raw.rows import header
from training.errors import DataError
from training.params.catalogue import Attributes


def read_users(directory: Path, columns: Attributes) -> pd.DataFrame | None:
    """Read people in file order: user_id, as text, and these attributes; None without a file of people or a column.

    An attribute that the file lacks holds no values. Raises DataError that names file, line and value.
    """
    layout = detect(directory)
    path = _file(directory, layout)
    if path is None or not columns:
        return None
    records = list(_records(path, layout, columns))
    if not records:
        raise DataError(f"{path} holds no people; {layout.remedy}")
    own = {USER_ID: pd.Series([record.texts[USER_ID] for record in records])}
    users = pd.DataFrame(own | values_of(columns, "catalogue.users", records, path, layout))
    refuse_faults("users", users, USER_ID, records, path, layout)
    return users


def attribute_names(directory: Path, layout: Layout | None = None) -> list[str] | None:
    """The columns of the file of people beside the id; None where there is none."""
    layout = layout or detect(directory)
    path = _file(directory, layout)
    if path is None:
        return None
    names = (
        layout.user_columns
        or header(path, rows_of(path, layout), required=(USER_ID,), optional=(), remedy=layout.remedy).cells
    )
    return [name for name in names if name != USER_ID]


def _file(directory: Path, layout: Layout) -> Path | None:
    path = None if layout.users is None else directory / layout.users
    return path if path is not None and path.is_file() else None


def _records(path: Path, layout: Layout, columns: Attributes) -> Iterator[Record]:
    if layout.user_columns is None:
        yield from named_records(path, layout, (USER_ID,), tuple(columns))
        return
    for line, cells in complete(path, rows_of(path, layout), len(layout.user_columns), layout):
        yield Record(line, dict(zip(layout.user_columns, map(str.strip, cells), strict=True)))
