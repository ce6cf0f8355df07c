"""The catalogue by files: sends a CSV of changes to the service, and writes the items with all changes."""

import csv
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from app.contract.columns import EPOCH
from app.contract.item_document import FROM, SEPARATOR, TITLE, UNTIL, WITHDRAWN
from training.data.catalogue_files import catalogue_of
from training.data.changes import merge_changes, stored_changes
from training.data.dataset import ITEM_ID
from training.data.raw import read_items, read_ratings
from training.data.values import FLAGS
from training.data.written import write_rows
from training.errors import DataError
from training.params.catalogue import ItemColumn
from training.params.whole import Params
from training.project import Project
from training.service import Service

AT_ONCE = 500  # items of one request
OWN_TYPES = {TITLE: "text", FROM: "time", UNTIL: "time", WITHDRAWN: "flag"}
Content = dict[str, Any]


def apply_changes(file: Path, url: str, key: str) -> str:
    """Send the rows of a CSV to the service at `url` as changes of items, with an editor's key.

    With a column `title` each row is all of an item; without, a row changes its own columns alone. An empty cell is no
    value. Returns what was done; raises DataError that names the row which the service refuses: those before are made.
    """
    service = Service(url, key)
    types = OWN_TYPES | {each["name"]: each["type"] for each in service.ask("GET", "/columns")["columns"]}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        names = _checked_names(file, list(reader.fieldnames or ()), types)
        rows = ((reader.line_num, row[ITEM_ID], _content(file, reader.line_num, row, types)) for row in reader)
        parts = iter(lambda: list(islice(rows, AT_ONCE)), [])
        count = sum(_send(service, file, part, whole=TITLE in names) for part in parts)
    return f"{count:,} items of {file} are as it says, at {url}"


def _checked_names(file: Path, names: list[str], types: Mapping[str, str]) -> list[str]:
    if ITEM_ID not in names or len(names) < 2:
        raise DataError(f"{file} has the columns {', '.join(names) or 'none'}; expected {ITEM_ID} and others")
    if unknown := [name for name in names if name != ITEM_ID and name not in types]:
        raise DataError(f"{file} has the column {unknown[0]!r}; the service's are {', '.join(types)}")
    return names


def export_items(project: Project, params: Params, file: Path) -> str:
    """Write the items of data/raw with the changes of the store at EVENTS_URL as a CSV that `fetch` reads.

    Returns what was done; raises DataError where either can't be read.
    """
    columns = params.catalogue.items
    items = read_items(project.raw, columns)
    table = catalogue_of(read_ratings(project.raw) if items is None else items, columns)
    table, figures = merge_changes(table, stored_changes(project.root), columns)
    written = table.assign(
        **{name: [_as_text(each, column) for each in table[name]] for name, column in columns.items()}
    )
    write_rows(file, list(written.columns), written.itertuples(index=False))
    added, changed = figures.get("added", 0), figures.get("changed", 0)
    return f"{len(table):,} items in {file}, {added:,} of them new and {changed:,} changed since the files"


def _as_text(value: Any, column: ItemColumn) -> str:  # noqa: ANN401 - of the column's type
    """A value as the reader of the file of items reads it."""
    if column.type in ("tags", "vector"):
        return "" if value is None else column.separator.join(map(str, value))
    if pd.isna(value):
        return ""
    if column.type == "number":
        return f"{value:.17g}"
    if column.type == "time":
        return f"{EPOCH + timedelta(seconds=int(value)):%Y-%m-%dT%H:%M:%SZ}".zfill(20)
    return str(value).lower() if column.type == "flag" else str(value)


def _content(file: Path, line: int, row: Mapping[str, str], types: Mapping[str, str]) -> Content:
    content = Content()
    for name, text in row.items():
        if name != ITEM_ID:
            try:
                content[name] = _VALUE[types[name]](text.strip()) if text.strip() else None
            except (ValueError, KeyError) as error:
                raise DataError(f"{file}, line {line}: {name} is {text!r:.80}, which is no {types[name]}") from error
    return content


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


_VALUE: Mapping[str, Any] = {
    "tags": lambda text: [tag for part in text.split(SEPARATOR) if (tag := part.strip())],
    "number": _number,
    "flag": lambda text: FLAGS[text.lower()],
} | dict.fromkeys(("tag", "text", "link", "time"), str)


def _send(service: Service, file: Path, rows: Sequence[tuple[int, str, Content]], *, whole: bool) -> int:
    """Send rows, each with its line and id; returns how many."""
    if whole:
        items = [{"id": item_id, **content} for _, item_id, content in rows]
        service.ask("POST", "/items", {"items": items}, f"{file}, lines {rows[0][0]} to {rows[-1][0]}")
    else:
        for line, item_id, content in rows:
            service.ask("PATCH", f"/items/{quote(item_id, safe='')}", content, f"{file}, line {line}")
    return len(rows)
