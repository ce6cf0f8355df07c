"""The fields of an item as the service answers them."""

import json
from typing import Any

import numpy.typing as npt

from app.contract.catalogue import Catalogue
from app.contract.columns import Value

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class ItemFields:
    """Items by row, put together from the packed catalogue: the one place that says which fields an item has."""

    def __init__(self, item_ids: npt.NDArray[Any], catalogue: Catalogue) -> None:
        self._item_ids, self._catalogue = item_ids, catalogue
        self._readers = [(column.name, column.reader()) for column in catalogue.columns if column.shown]
        # What a model doesn't learn from is no reason for what it ranks.
        learned = (column for column in catalogue.columns if column.shown and column.learn)
        self._tags = [column.name for column in learned if column.type in ("tag", "tags")]

    def item(self, row: int) -> dict[str, Value]:
        """The fields of an item: id, title, and the columns that are shown; null, or no tags, where it has none."""
        fields: dict[str, Value] = {"id": self._item_ids[row].item(), "title": self._catalogue.title(row)}
        for name, read in self._readers:
            fields[name] = read(row)
        return fields

    def reason(self, row: int, of: int) -> dict[str, Any]:
        """The item in this row as a reason for `of`: its id and title, and the learned tags that both have."""
        mine, other = self.item(row), self.item(of)
        both = {name: [tag for tag in _tags(mine[name]) if tag in _tags(other[name])] for name in self._tags}
        shared = {name: tags for name, tags in both.items() if tags}
        return {"id": mine["id"], "title": mine["title"], **({"shared": shared} if shared else {})}

    def content(self, row: int) -> dict[str, Any]:
        """The title, and the columns with a value, shown or not."""
        values = {column.name: column.reader()(row) for column in self._catalogue.columns if column.arrays}
        known = {name: value for name, value in values.items() if value is not None and value != []}
        return {"title": self._catalogue.title(row), **known}

    def fragment(self, row: int) -> bytes:
        """The fields as they stand in a JSON object: `"id":1,"title":"…","year":1995,"genres":[…]`."""
        return to_json(self.item(row))[1:-1]


def _tags(value: Value) -> list[str]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def to_json(value: object) -> bytes:
    """Compact JSON in UTF-8; raises UnicodeEncodeError for text that UTF-8 can't express."""
    return _ENCODER.encode(value).encode()
