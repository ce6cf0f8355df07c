"""What an artifact consists of: arrays with their types and shapes."""

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

FORMAT_VERSION = 3
OLDEST_VERSION = 2
KIND = "movie-recommender"
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 20
BY_ITEM, BY_TIME = "item", "time"  # orders of what a user has seen
AGED, TRENDING = "aged_popularity", "trending"
MAX_QUOTED = 300

# name -> (dtype, or None for an id: int64 or fixed-width text; shape as named sizes)
Table = dict[str, tuple[str | None, tuple[str, ...]]]

CATALOGUE_ARRAYS: Table = {
    "titles": ("|u1", ("title bytes",)),
    "title_offsets": ("<i8", ("items + 1",)),
    "folded_titles": ("|u1", ("folded bytes",)),
    "folded_breaks": ("<i8", ("items + 1",)),
}

ARRAYS: Table = {
    "user_ids": (None, ("users",)),
    "item_ids": (None, ("items",)),
    "user_embeddings": ("<f4", ("users", "dim")),
    "item_embeddings": ("<f4", ("items", "dim")),
    "item_biases": ("<f4", ("items",)),
    "item_popularity": ("<i8", ("items",)),
    "seen_indptr": ("<i8", ("users + 1",)),
    "seen_indices": ("<i4", ("seen",)),
    "seen_liked": ("|b1", ("seen",)),
    "encoder": ("<f4", ("items", "dim")),
    "encoder_intercept": ("<f4", ("dim",)),
    **CATALOGUE_ARRAYS,
}

# Arrays that an artifact may lack, all of a group or none.
READY_ARRAYS: Table = {
    "ready_items": ("<i4", ("users", "ready")),
    "ready_scores": ("<i4", ("users", "ready")),
}
ENCODER_ARRAYS: Table = {
    "item_encoder": ("<f4", ("item features + 1", "dim + 1")),
    "user_encoder": ("<f4", ("user features + 1", "dim")),
}
NEWCOMER_ARRAYS: Table = {"mean_user": ("<f4", ("dim",))}
FIRST_ARRAYS: Table = {"first_likes": ("<f4", ("dim",))}
FOLD_IN_ARRAYS: Table = {"fold_in_mean": ("<f4", ("dim",))}
AGED_ARRAYS: Table = {AGED: ("<f4", ("items",))}
TRENDING_ARRAYS: Table = {TRENDING: ("<f4", ("half-lives", "items"))}
GROUPS: list[Table] = [
    READY_ARRAYS,
    NEWCOMER_ARRAYS,
    FIRST_ARRAYS,
    FOLD_IN_ARRAYS,
    AGED_ARRAYS,
    TRENDING_ARRAYS,
    *({name: line} for name, line in ENCODER_ARRAYS.items()),
]
OPTIONAL: Table = {name: line for group in GROUPS for name, line in group.items()}

# Of column n, by its type; its arrays are called column_<n>_<name>, and sizes but `items` are its own.
_TAGS: Table = {
    "indptr": ("<i8", ("items + 1",)),
    "codes": ("<i4", ("item tags",)),
    "names": ("|u1", ("name bytes",)),
    "name_offsets": ("<i8", ("tags + 1",)),
}
_TEXT: Table = {"text": ("|u1", ("text bytes",)), "text_offsets": ("<i8", ("items + 1",))}
COLUMN_ARRAYS: dict[str, Table] = {
    "number": {"values": ("<f8", ("items",))},
    "time": {"values": ("<i8", ("items",))},
    "flag": {"values": ("|i1", ("items",))},
    "tag": _TAGS,
    "tags": _TAGS,
    "text": _TEXT,
    "link": _TEXT,
    "vector": {},
}
# Of a text that models learn from, all or none.
WORD_ARRAYS: Table = {
    "words": ("|u1", ("word bytes",)),
    "word_offsets": ("<i8", ("words + 1",)),
    "word_vectors": ("<f4", ("words", "components")),
}
MAX_COLUMNS = 200

NOT_EMPTY = {"users", "items", "dim", "ready"}

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Arrays = dict[str, npt.NDArray[Any]]


class ArtifactError(Exception):
    """The directory isn't a usable artifact; the message names the file and what is wrong with it."""


def refuse(path: Path, problem: str) -> NoReturn:
    """Raise ArtifactError about a file."""
    raise ArtifactError(f"{path} {problem[:MAX_QUOTED]}")


def table_of(columns: Sequence[Mapping[str, Any]], names: Container[str]) -> Table:
    """The arrays of an artifact with these columns and with each optional group that one of `names` belongs to."""
    table = dict(ARRAYS)
    for group in GROUPS:
        if any(name in names for name in group):
            table |= group
    for number, column in enumerate(columns):
        own = dict(COLUMN_ARRAYS[column["type"]]) if column["filter"] or column["shown"] else {}
        if column["type"] == "text" and any(f"column_{number}_{name}" in names for name in WORD_ARRAYS):
            own |= WORD_ARRAYS
        for name, (dtype, shape) in own.items():
            sizes = tuple(size if size.startswith("items") else f"column {number} {size}" for size in shape)
            table[f"column_{number}_{name}"] = dtype, sizes
    return table


def check_listed(path: Path, files: Mapping[str, Any], names: Iterable[str]) -> None:
    """Refuse a manifest that does not list these files."""
    for name in names:
        if not isinstance(files.get(name), dict):
            refuse(path, f"does not list {name}")


def check_shapes(directory: Path, arrays: Mapping[str, npt.NDArray[Any]], table: Table) -> None:
    """Refuse arrays whose types or shapes are not those of the table, or contradict each other."""
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        (dtype, symbols), path = table[name], directory / f"{name}.npy"
        if dtype is None and array.dtype.str != "<i8" and not array.dtype.str.startswith("<U"):
            refuse(path, f"is of type {array.dtype.str}; ids are int64 or text")
        if dtype is not None and array.dtype.str != dtype:
            refuse(path, f"is of type {array.dtype.str}; expected {dtype}")
        if array.ndim != len(symbols):
            refuse(path, f"has {array.ndim} dimensions; expected {len(symbols)}")
        for symbol, size in zip(symbols, array.shape, strict=True):
            what, _, more = symbol.partition(" + ")
            extra = int(more or 0)
            expected = sizes.setdefault(what, size - extra) + extra
            if size != expected or size < extra + (what in NOT_EMPTY):
                refuse(path, f"has the shape {list(array.shape)}; {symbol} should be {max(expected, 1)}")
