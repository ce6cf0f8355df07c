"""What the files of an artifact must be: names, types, shapes, limits, and the checks for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

FORMAT_VERSION = 1
KIND = "movie-recommender"
MANIFEST = "manifest.json"
CATALOGUE = "catalogue.json"
MAX_MANIFEST_BYTES = 1 << 20
MAX_CATALOGUE_BYTES = 1 << 28
# Far beyond what any model learns, and small enough that no sum of products leaves float32.
MAX_MAGNITUDE = 1e12
LAST_CODE_POINT = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)

# name -> (dtype, or None for an id: int64 or fixed-width text; shape as named sizes)
ARRAYS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "user_ids": (None, ("users",)),
    "item_ids": (None, ("items",)),
    "user_embeddings": ("<f4", ("users", "dim")),
    "item_embeddings": ("<f4", ("items", "dim")),
    "user_biases": ("<f4", ("users",)),
    "item_biases": ("<f4", ("items",)),
    "item_popularity": ("<i8", ("items",)),
    "seen_indptr": ("<i8", ("users + 1",)),
    "seen_indices": ("<i4", ("seen",)),
    "encoder": ("<f4", ("items", "dim")),
    "encoder_intercept": ("<f4", ("dim",)),
}

# Arrays that an artifact may lack.
OPTIONAL: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "ranked_items": ("<i4", ("users", "ready")),
    "ranked_scores": ("<f8", ("users", "ready")),
}

Float32Array = npt.NDArray[np.float32]
Film = dict[str, Any]


class ArtifactError(Exception):
    """The directory isn't a usable artifact; the message names the file and what is wrong with it."""


def refuse(path: Path, problem: str) -> NoReturn:
    """Raise ArtifactError about a file."""
    raise ArtifactError(f"{path} {problem}")


def check_size(path: Path, most_bytes: int) -> None:
    """Refuse a file that is too large to be read whole."""
    if path.is_file() and path.stat().st_size > most_bytes:
        refuse(path, f"is larger than {most_bytes} bytes")


def check_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest of another kind or a newer format, or one that lacks a key or a file."""
    if manifest.get("kind") != KIND:
        refuse(path, f"describes a {manifest.get('kind')!r}, not a {KIND!r}")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version < 1:
        refuse(path, f"has the format version {version!r}; expected a number from 1 to {FORMAT_VERSION}")
    if version > FORMAT_VERSION:
        refuse(path, f"is of format {version}, newer than {FORMAT_VERSION}: upgrade the software that reads it")
    _check_keys(path, manifest)


def _check_keys(path: Path, manifest: Mapping[str, Any]) -> None:
    kinds = {"family": str, "params": dict, "seed": int, "data_hash": str, "files": dict}
    for key, kind in kinds.items():
        if not isinstance(manifest.get(key), kind):
            refuse(path, f"lacks {key!r} ({kind.__name__})")
    files = manifest["files"]
    optional = [f"{name}.npy" for name in OPTIONAL if f"{name}.npy" in files]
    for name in [*(f"{name}.npy" for name in ARRAYS), CATALOGUE, *optional]:
        if not isinstance(files.get(name), dict):
            refuse(path, f"does not list {name}")


def check_contents(directory: Path, arrays: Mapping[str, npt.NDArray[Any]], catalogue: Mapping[str, Film]) -> None:
    """Refuse arrays that contradict each other, numbers no model learns, ids out of order, films that are missing."""
    _check_shapes(directory, arrays)
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            _check_numbers(directory / f"{name}.npy", array)
    for name in ("user_ids", "item_ids"):
        _check_ids(directory / f"{name}.npy", arrays[name])
    if arrays["item_popularity"].min() < 0:
        refuse(directory / "item_popularity.npy", "holds a negative number")
    _check_seen(directory, arrays)
    if len(missing := [str(item) for item in arrays["item_ids"] if str(item) not in catalogue]):
        refuse(directory / CATALOGUE, f"lacks {len(missing)} items, the first is {missing[0]!r}")


def _check_numbers(path: Path, array: npt.NDArray[Any]) -> None:
    extremes = np.array([array.min(), array.max()])
    if not np.isfinite(extremes).all():
        refuse(path, "holds NaN or infinity")
    if np.abs(extremes).max() > MAX_MAGNITUDE:
        refuse(path, f"holds numbers beyond ±{MAX_MAGNITUDE:g}: the model has diverged")


def _check_ids(path: Path, ids: npt.NDArray[Any]) -> None:
    if ids.dtype.kind == "U":
        code_points = np.ascontiguousarray(ids).view(np.uint32)
        surrogates = (code_points >= SURROGATES[0]) & (code_points <= SURROGATES[1])
        if code_points.max(initial=0) > LAST_CODE_POINT or surrogates.any():
            refuse(path, "holds text that is not valid Unicode")
    if not (ids[:-1] < ids[1:]).all():
        refuse(path, "is not sorted, or holds an id twice")


def _check_shapes(directory: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        (dtype, symbols), path = (ARRAYS | OPTIONAL)[name], directory / f"{name}.npy"
        if dtype is None and array.dtype.str != "<i8" and not array.dtype.str.startswith("<U"):
            refuse(path, f"is of type {array.dtype.str}; ids are int64 or text")
        if dtype is not None and array.dtype.str != dtype:
            refuse(path, f"is of type {array.dtype.str}; expected {dtype}")
        if array.ndim != len(symbols):
            refuse(path, f"has {array.ndim} dimensions; expected {len(symbols)}")
        for symbol, size in zip(symbols, array.shape, strict=True):
            expected = sizes["users"] + 1 if symbol == "users + 1" else sizes.setdefault(symbol, size)
            if size != expected or (size == 0 and symbol != "seen"):
                refuse(path, f"has the shape {list(array.shape)}; {symbol} should be {max(expected, 1)}")


def _check_seen(directory: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    indptr, indices = arrays["seen_indptr"], arrays["seen_indices"]
    if indptr[0] != 0 or indptr[-1] != len(indices) or (indptr[:-1] > indptr[1:]).any():
        refuse(directory / "seen_indptr.npy", f"does not rise from 0 to {len(indices)}, the length of seen_indices")
    if len(indices) and not (indices.min() >= 0 and indices.max() < len(arrays["item_ids"])):
        refuse(directory / "seen_indices.npy", "points outside the items")
    ready = arrays.get("ranked_items")
    if ready is None and "ranked_scores" in arrays:
        refuse(directory / "ranked_scores.npy", "is there without ranked_items.npy")
    if ready is not None and not (ready.min() >= -1 and ready.max() < len(arrays["item_ids"])):
        refuse(directory / "ranked_items.npy", "points outside the items")
