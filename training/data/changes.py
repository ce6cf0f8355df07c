"""Changes of the catalogue that editors have made in the service, and the items with them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from app.contract.events import CHANGE
from app.contract.ids import as_number
from app.contract.item_document import TITLE, ItemDocument
from training.data.dataset import ITEM_ID
from training.data.events.snapshot import Snapshot, existing_store, snapshot
from training.data.values import column_of, missing
from training.errors import DataError
from training.files import read_parquet
from training.params.catalogue import ItemColumn, ItemColumns

FILE = "changes.parquet"
BODY = "body"
SHOWN = 20  # differences that are named
REMEDY = "run: dvc repro events"
_SCHEMA = pa.schema({"position": pa.int64(), ITEM_ID: pa.string(), BODY: pa.string()})

Documents = dict[str, ItemDocument]


class Merged(NamedTuple):
    """The items with what editors have made of them, and figures about it."""

    items: pd.DataFrame
    figures: dict[str, Any]


def write_changes(store: Snapshot, folder: Path) -> None:
    """Write the last change of each item into an existing folder; without any, there is no file."""
    last = {edit.name: edit[:3] for edit in store.edits(CHANGE)}
    if last:
        table = pa.table(dict(zip(_SCHEMA.names, zip(*last.values(), strict=True), strict=True)), _SCHEMA)
        pq.write_table(table, folder / FILE, compression="zstd")


def read_changes(folder: Path) -> Documents:
    """What items have become, by id, in the order of their first changes; raise DataError for a damaged file."""
    if not (folder / FILE).is_file():
        return {}
    rows = read_parquet(folder / FILE, REMEDY, _SCHEMA.names)
    return documents_of(zip(rows[ITEM_ID], rows[BODY], strict=True))


def stored_changes(home: Path) -> Documents:
    """What items have become by the store at EVENTS_URL, by id; raise DataError where it can't be read."""
    address = existing_store(home)
    if address is None:
        return {}
    with snapshot(address) as store:
        return documents_of((edit.name, edit.body) for edit in store.edits(CHANGE))


def documents_of(rows: Iterable[tuple[str, str]]) -> Documents:
    """The items that texts say, by id; raise DataError for a text that says none."""
    found = {}
    try:
        for item_id, body in rows:
            found[item_id] = ItemDocument.read(body)
    except ValueError as error:
        raise DataError(f"the last change of the film {item_id!r:.80} can't be read: {error}") from error
    return found


def merge_changes(items: pd.DataFrame, changes: Documents, columns: ItemColumns) -> Merged:
    """Put what editors have made of items in place of what the file says; further items come at the end.

    `items` has item_id, title and the columns. A change overrides the file. Items that can't be among these, as
    their ids are no numbers where all others are, are left out. Columns of vectors are always those of the file.
    """
    former = items.set_index(ITEM_ID)
    changed = _table_of(changes, columns, has_numbers=pd.api.types.is_integer_dtype(items[ITEM_ID]))
    if changed is None:
        return Merged(items, {})
    known = changed.index[changed.index.isin(former.index)]
    differences = _differences(former.loc[known], changed.loc[known], columns)
    _keep_vectors(former.loc[known], changed, columns)
    merged = _overridden(former, changed, columns).astype({ITEM_ID: items[ITEM_ID].dtype})
    figures = {
        "changed": len(differences),
        "added": len(merged) - len(former),
        "as_in_file": len(known) - len(differences),
        "withdrawn": sum(each.is_withdrawn for each in changes.values()),
        "differences": dict(list(differences.items())[:SHOWN]),
    }
    return Merged(merged, figures)


def _table_of(changes: Documents, columns: ItemColumns, *, has_numbers: bool) -> pd.DataFrame | None:
    """The changed items that can be among the file's, by id; None without any."""
    ids = {item_id: as_number(item_id) if has_numbers else item_id for item_id in changes}
    rows = [
        {ITEM_ID: ids[item_id], TITLE: each.content[TITLE]}
        | {name: _value(each, name, column) for name, column in columns.items()}
        for item_id, each in changes.items()
        if ids[item_id] is not None
    ]
    return pd.DataFrame(rows).set_index(ITEM_ID) if rows else None


def _differences(former: pd.DataFrame, changed: pd.DataFrame, columns: ItemColumns) -> dict[str, list[str]]:
    """The columns that editors have made different from the file, of each such item."""
    found = {str(each): _differing(former.loc[each], changed.loc[each], columns) for each in changed.index}
    return {item_id: differing for item_id, differing in found.items() if differing}


def _keep_vectors(former: pd.DataFrame, changed: pd.DataFrame, columns: ItemColumns) -> None:
    """Give changed items the vectors that the file has of them."""
    for name in (name for name, column in columns.items() if column.type == "vector"):
        changed.loc[former.index, name] = former[name]


def _overridden(former: pd.DataFrame, changed: pd.DataFrame, columns: ItemColumns) -> pd.DataFrame:
    """The former items with changed ones in place of theirs, further ones at the end."""
    order = [*former.index, *changed.index.difference(former.index, sort=False)]
    values = {
        name: [changed.at[each, name] if each in changed.index else former.at[each, name] for each in order]
        for name in former.columns
    }
    typed = {name: column_of(values[name], column.type) for name, column in columns.items()}
    return pd.DataFrame({ITEM_ID: order, **values, **typed})


def _value(item: ItemDocument, name: str, column: ItemColumn) -> Any:  # noqa: ANN401
    """A value as the reader of the file of items gives it."""
    value = item.value(column.described(name))
    return missing(column.type) if value is None else value


def _differing(former: "pd.Series[Any]", now: "pd.Series[Any]", columns: ItemColumns) -> list[str]:
    compared = [TITLE, *(name for name, column in columns.items() if column.type != "vector")]
    return [name for name in compared if not _same(former[name], now[name])]


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401
    nothing = [not isinstance(each, list) and bool(pd.isna(each)) for each in (one, other)]
    return nothing == [True, True] or (not any(nothing) and bool(one == other))
