"""The model artifact: the directory that training writes and the service reads.

One `.npy` file per array, so that a reader can map it into memory; one `catalogue.json`; and
`manifest.json`, written last, which names every file with its shape, dtype and SHA-256. Nothing is
pickled. docs/artifact.md describes the format for people.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
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
OPTIONAL: dict[str, tuple[str | None, tuple[str, ...]]] = {"ranked_items": ("<i4", ("users", "ready"))}

Float32Array = npt.NDArray[np.float32]
Film = dict[str, Any]


class ArtifactError(Exception):
    """The directory isn't a usable artifact; the message names the file and what is wrong with it."""


@dataclass(frozen=True)
class Recipe:
    """What an artifact was made from: everything in the manifest that is not a file."""

    family: str
    params: Mapping[str, Any]
    seed: int
    data_hash: str


@dataclass(frozen=True)
class Artifact:
    """A trained model as arrays; the row number in `user_ids` or `item_ids` is the internal id.

    Score of an item for a user = user_embedding · item_embedding + item_bias. The films a user has
    consumed are the CSR row `seen_indices[seen_indptr[u]:seen_indptr[u + 1]]`. A new user's vector is
    Σ encoder[history] / √len(history) + encoder_intercept. Ids are sorted and unique. `ranked_items`, if there,
    are each user's first unseen items as `Recommender` ranks them; -1 pads.
    """

    recipe: Recipe
    user_ids: npt.NDArray[Any]
    item_ids: npt.NDArray[Any]
    user_embeddings: Float32Array
    item_embeddings: Float32Array
    user_biases: Float32Array
    item_biases: Float32Array
    item_popularity: npt.NDArray[np.int64]
    seen_indptr: npt.NDArray[np.int64]
    seen_indices: npt.NDArray[np.int32]
    encoder: Float32Array
    encoder_intercept: Float32Array
    catalogue: Mapping[str, Film]
    ranked_items: npt.NDArray[np.int32] | None = None


def content_hash(directory: Path) -> str:
    """SHA-256 of the manifest, and thereby of every byte of the artifact."""
    return _sha256(directory / MANIFEST)


def write_artifact(directory: Path, artifact: Artifact) -> None:
    """Write the artifact so that `directory` holds either all of it or what it held before.

    Raises ArtifactError where the arrays contradict each other or hold NaN or infinity.
    """
    names = [*ARRAYS, *(name for name in OPTIONAL if getattr(artifact, name) is not None)]
    arrays = {name: _as_stored(name, getattr(artifact, name)) for name in names}
    _check_contents(directory, arrays, artifact.catalogue)
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        partial.chmod(0o755)
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        _write_json(partial / CATALOGUE, dict(artifact.catalogue))
        _write_json(partial / MANIFEST, _manifest(partial, artifact.recipe, arrays))
        _replace(directory, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load_artifact(directory: Path) -> Artifact:
    """Map an artifact into memory after checking every file against the manifest.

    Raises ArtifactError, naming the file, if anything is missing, damaged, inconsistent, not finite,
    or of a newer format.
    """
    manifest = _read_manifest(directory)
    files = manifest["files"]
    names = [*ARRAYS, *(name for name in OPTIONAL if f"{name}.npy" in files)]
    arrays = {name: _load_array(directory / f"{name}.npy", files[f"{name}.npy"]) for name in names}
    _check_size(directory / CATALOGUE, MAX_CATALOGUE_BYTES)
    _check_hash(directory / CATALOGUE, files[CATALOGUE])
    catalogue = _read_json(directory / CATALOGUE)
    _check_contents(directory, arrays, catalogue)
    recipe = Recipe(manifest["family"], manifest["params"], manifest["seed"], manifest["data_hash"])
    return Artifact(recipe=recipe, catalogue=catalogue, **arrays)


def _replace(directory: Path, partial: Path) -> None:
    if directory.exists():
        former = partial.with_name(f"{partial.name}-former")
        directory.rename(former)
        partial.rename(directory)
        shutil.rmtree(former)
    else:
        partial.rename(directory)


def _manifest(directory: Path, recipe: Recipe, arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    files: dict[str, Any] = {
        f"{name}.npy": {
            "sha256": _sha256(directory / f"{name}.npy"),
            "shape": list(array.shape),
            "dtype": array.dtype.str,
        }
        for name, array in arrays.items()
    }
    files[CATALOGUE] = {"sha256": _sha256(directory / CATALOGUE)}
    return {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "family": recipe.family,
        "params": dict(recipe.params),
        "seed": recipe.seed,
        "data_hash": recipe.data_hash,
        "files": files,
    }


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    _check_size(path, MAX_MANIFEST_BYTES)
    manifest = _read_json(path)
    if manifest.get("kind") != KIND:
        _refuse(path, f"describes a {manifest.get('kind')!r}, not a {KIND!r}")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version < 1:
        _refuse(path, f"has the format version {version!r}; expected a number from 1 to {FORMAT_VERSION}")
    if version > FORMAT_VERSION:
        _refuse(path, f"is of format {version}, newer than {FORMAT_VERSION}: upgrade the software that reads it")
    _check_manifest_keys(path, manifest)
    return manifest


def _check_manifest_keys(path: Path, manifest: Mapping[str, Any]) -> None:
    kinds = {"family": str, "params": dict, "seed": int, "data_hash": str, "files": dict}
    for key, kind in kinds.items():
        if not isinstance(manifest.get(key), kind):
            _refuse(path, f"lacks {key!r} ({kind.__name__})")
    files = manifest["files"]
    optional = [f"{name}.npy" for name in OPTIONAL if f"{name}.npy" in files]
    for name in [*(f"{name}.npy" for name in ARRAYS), CATALOGUE, *optional]:
        if not isinstance(files.get(name), dict):
            _refuse(path, f"does not list {name}")


def _load_array(path: Path, listed: Mapping[str, Any]) -> npt.NDArray[Any]:
    try:
        # The header is read and the file's size compared before a byte is allocated: a header may lie.
        with np.errstate(over="ignore"):
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        _refuse(path, "is missing")
    except (ValueError, OSError, OverflowError, EOFError, SyntaxError) as error:
        _refuse(path, f"is not a readable .npy array ({error})")
    if list(array.shape) != listed.get("shape") or array.dtype.str != listed.get("dtype"):
        was, expected = f"{array.dtype.str} {list(array.shape)}", f"{listed.get('dtype')} {listed.get('shape')}"
        _refuse(path, f"holds {was}, the manifest says {expected}")
    _check_hash(path, listed)
    # The base class without memmap's bookkeeping on every slice.
    return array.view(np.ndarray)


def _check_hash(path: Path, listed: Mapping[str, Any]) -> None:
    if not path.is_file():
        _refuse(path, "is missing")
    if _sha256(path) != listed.get("sha256"):
        _refuse(path, "does not have the SHA-256 that the manifest gives: it is damaged or truncated")


def _check_contents(directory: Path, arrays: Mapping[str, npt.NDArray[Any]], catalogue: Mapping[str, Film]) -> None:
    _check_shapes(directory, arrays)
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            _check_numbers(directory / f"{name}.npy", array)
    for name in ("user_ids", "item_ids"):
        _check_ids(directory / f"{name}.npy", arrays[name])
    if arrays["item_popularity"].min() < 0:
        _refuse(directory / "item_popularity.npy", "holds a negative number")
    _check_seen(directory, arrays)
    if len(missing := [str(item) for item in arrays["item_ids"] if str(item) not in catalogue]):
        _refuse(directory / CATALOGUE, f"lacks {len(missing)} items, the first is {missing[0]!r}")


def _check_numbers(path: Path, array: npt.NDArray[Any]) -> None:
    extremes = np.array([array.min(), array.max()])
    if not np.isfinite(extremes).all():
        _refuse(path, "holds NaN or infinity")
    if np.abs(extremes).max() > MAX_MAGNITUDE:
        _refuse(path, f"holds numbers beyond ±{MAX_MAGNITUDE:g}: the model has diverged")


def _check_ids(path: Path, ids: npt.NDArray[Any]) -> None:
    if ids.dtype.kind == "U":
        code_points = np.ascontiguousarray(ids).view(np.uint32)
        surrogates = (code_points >= SURROGATES[0]) & (code_points <= SURROGATES[1])
        if code_points.max(initial=0) > LAST_CODE_POINT or surrogates.any():
            _refuse(path, "holds text that is not valid Unicode")
    if not (ids[:-1] < ids[1:]).all():
        _refuse(path, "is not sorted, or holds an id twice")


def _check_shapes(directory: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        (dtype, symbols), path = (ARRAYS | OPTIONAL)[name], directory / f"{name}.npy"
        if dtype is None and array.dtype.str != "<i8" and not array.dtype.str.startswith("<U"):
            _refuse(path, f"is of type {array.dtype.str}; ids are int64 or text")
        if dtype is not None and array.dtype.str != dtype:
            _refuse(path, f"is of type {array.dtype.str}; expected {dtype}")
        if array.ndim != len(symbols):
            _refuse(path, f"has {array.ndim} dimensions; expected {len(symbols)}")
        for symbol, size in zip(symbols, array.shape, strict=True):
            expected = sizes["users"] + 1 if symbol == "users + 1" else sizes.setdefault(symbol, size)
            if size != expected or (size == 0 and symbol != "seen"):
                _refuse(path, f"has the shape {list(array.shape)}; {symbol} should be {max(expected, 1)}")


def _check_seen(directory: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    indptr, indices = arrays["seen_indptr"], arrays["seen_indices"]
    if indptr[0] != 0 or indptr[-1] != len(indices) or (indptr[:-1] > indptr[1:]).any():
        _refuse(directory / "seen_indptr.npy", f"does not rise from 0 to {len(indices)}, the length of seen_indices")
    if len(indices) and not (indices.min() >= 0 and indices.max() < len(arrays["item_ids"])):
        _refuse(directory / "seen_indices.npy", "points outside the items")
    ready = arrays.get("ranked_items")
    if ready is not None and not (ready.min() >= -1 and ready.max() < len(arrays["item_ids"])):
        _refuse(directory / "ranked_items.npy", "points outside the items")


def _as_stored(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = np.asarray(array, dtype=(ARRAYS | OPTIONAL)[name][0])
    # One dimension of all items after the other: scoring all items for one user then reads memory in order.
    return np.asfortranarray(array) if name == "item_embeddings" else np.ascontiguousarray(array)


def _check_size(path: Path, most_bytes: int) -> None:
    if path.is_file() and path.stat().st_size > most_bytes:
        _refuse(path, f"is larger than {most_bytes} bytes")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        _refuse(path, "is missing")
    except (ValueError, OSError, RecursionError) as error:
        _refuse(path, f"is not readable JSON ({error})")
    if not isinstance(content, dict):
        _refuse(path, "is not a JSON object")
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _refuse(path: Path, problem: str) -> NoReturn:
    raise ArtifactError(f"{path} {problem}")
