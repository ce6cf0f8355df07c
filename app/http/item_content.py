"""What an item is now, by what a version has learned and what has changed since."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from app.model.store import ServedModel

Content = dict[str, Any]


def content_of(model: ServedModel, item_id: str) -> tuple[Content | None, int]:
    """What an item is in the answers of a version, and the position of its change, 0 for none; None if it is unknown.

    Not by changes that the version has not been told of: an editor sees this, and must not overwrite what comes after.
    """
    if (document := model.items.get(item_id)) is not None:
        return dict(document.content), document.position
    row = model.recommender.item_row(item_id)
    return None if row is None else model.catalogue.content(row), 0


def etag(content: Mapping[str, Any]) -> str:
    """The entity tag of an item: other contents have another one."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    return f'"{sha256(text).hexdigest()[:16]}"'
