"""What an item is now, by what the model has learned and what has changed since."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from app.http.parts import Parts
from app.model.store import ServedModel

Content = dict[str, Any]


def content_of(parts: Parts, model: ServedModel, item_id: str) -> tuple[Content | None, int]:
    """What an item is now, and the position of its last change, 0 for none; None for an unknown item."""
    last = parts.changes.last(item_id)
    if last is not None:
        return dict(last.document.content), last.position
    row = model.recommender.item_row(item_id)
    return None if row is None else model.catalogue.content(row), 0


def etag(content: Mapping[str, Any]) -> str:
    """The entity tag of an item: other contents have another one."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    return f'"{sha256(text).hexdigest()[:16]}"'
