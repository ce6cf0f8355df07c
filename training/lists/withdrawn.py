"""Which items no list may hold, as editors of the service have said."""

import time
from pathlib import Path

import numpy as np

from app.contract.artifact import Artifact
from app.contract.ids import row_of
from app.contract.item_matrix import Mask, Rows
from training.data.changes import stored_changes


def withdrawn_rows(artifact: Artifact, home: Path) -> Rows:
    """The rows of items that are withdrawn, or not available now, by the store at EVENTS_URL; sorted.

    Raises DataError where the store can't be read.
    """
    now, changes = time.time(), stored_changes(home)
    rows = (row_of(artifact.item_ids, item_id) for item_id, each in changes.items() if not each.is_available(now))
    return np.array(sorted(row for row in rows if row is not None), dtype=np.int64)


def without(allowed: Mask | None, rows: Rows, n_items: int) -> Mask | None:
    """The mask of allowed items, bool (n_items,), without some rows; None allows all."""
    if not len(rows):
        return allowed
    mask = np.ones(n_items, dtype=bool) if allowed is None else allowed
    mask[rows] = False
    return mask
