"""Reads a team's own embeddings of items: arrays of NumPy beside items.csv."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.data.dataset import ITEM_ID
from training.data.raw.layouts import OWN
from training.data.raw.rows import rows
from training.data.written import write_rows
from training.errors import DataError

VECTORS, IDS = "items.npy", "item_ids.npy"
COLUMN = "embedding"


def add_embeddings(source: Path, items: Path) -> None:
    """Put the embeddings in `source`, if there are any, into a copied file of items, as a column of vectors.

    Items without an embedding have no value; those of other items are left out. Raises DataError.
    """
    if not (source / VECTORS).is_file():
        return
    if not items.is_file():
        raise _error(source / VECTORS, f"needs {OWN.items}, the items that it is of")
    embedding = _read(source)
    _, names = next(lines := rows(items, OWN.item_separator, OWN.encodings[0], OWN.remedy))
    names = [name.strip() for name in names]
    if COLUMN in names:
        raise _error(source / VECTORS, f"is the column {COLUMN}, which {OWN.items} has, too")
    place = names.index(ITEM_ID)
    found = [(cells, embedding.get(cells[place].strip())) for _, cells in lines]
    if all(vector is None for _, vector in found):
        raise _error(source / IDS, f"has no item of {OWN.items}, but others such as {next(iter(embedding), '')!r:.80}")
    write_rows(items, [*names, COLUMN], ([*cells, None if vector is None else [*vector]] for cells, vector in found))


def _read(source: Path) -> dict[str, npt.NDArray[Any]]:
    """The embeddings by id."""
    vectors, ids = _load(source / VECTORS, "fiu", 2).astype(np.float32), _load(source / IDS, "iuU", 1)
    if len(vectors) != len(ids):
        raise _error(source / VECTORS, f"has {len(vectors)} rows, and {IDS} has {len(ids)}")
    if len(wrong := np.flatnonzero(~np.isfinite(vectors).all(axis=1))):
        raise _error(source / VECTORS, f"row {wrong[0] + 1}: should be finite numbers")
    known = {str(item_id): vector.astype(str) for item_id, vector in zip(ids.tolist(), vectors, strict=True)}
    if len(known) < len(ids):
        raise _error(source / IDS, "holds an id twice")
    return known


def _load(path: Path, kinds: str, dimensions: int) -> npt.NDArray[Any]:
    try:
        array: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _error(path, f"can't be read ({str(error).splitlines()[0]:.200})") from error
    if array.dtype.kind not in kinds or array.ndim != dimensions:
        expected = "a row of numbers for each item" if dimensions > 1 else "an id for each row, a number or a text"
        raise _error(path, f"holds {array.dtype} {list(array.shape)}; it should hold {expected}")
    return array


def _error(path: Path, problem: str) -> DataError:
    return DataError(f"{path} {problem}; {OWN.remedy}")
