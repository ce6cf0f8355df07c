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
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import (
    ARRAYS,
    CATALOGUE,
    FORMAT_VERSION,
    KIND,
    MANIFEST,
    MAX_CATALOGUE_BYTES,
    MAX_MANIFEST_BYTES,
    OPTIONAL,
    ArtifactError,
    Film,
    Float32Array,
    check_contents,
    check_manifest,
    check_size,
    refuse,
)

__all__ = [
    "ARRAYS",
    "CATALOGUE",
    "FORMAT_VERSION",
    "MANIFEST",
    "Artifact",
    "ArtifactError",
    "Film",
    "Float32Array",
    "Recipe",
    "content_hash",
    "load_artifact",
    "write_artifact",
]


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
    Σ encoder[history] / √len(history) + encoder_intercept. Ids are sorted and unique. `ranked_items` and
    `ranked_scores`, if there, are each user's first unseen items as `Recommender` ranks them; -1 and 0 pad.
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
    ranked_scores: npt.NDArray[np.float64] | None = None


def content_hash(directory: Path) -> str:
    """SHA-256 of the manifest, and thereby of every byte of the artifact."""
    return _sha256(directory / MANIFEST)


def write_artifact(directory: Path, artifact: Artifact) -> None:
    """Write the artifact so that `directory` holds either all of it or what it held before.

    Raises ArtifactError where the arrays contradict each other or hold NaN or infinity.
    """
    names = [*ARRAYS, *(name for name in OPTIONAL if getattr(artifact, name) is not None)]
    arrays = {name: _as_stored(name, getattr(artifact, name)) for name in names}
    check_contents(directory, arrays, artifact.catalogue)
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
    check_size(directory / CATALOGUE, MAX_CATALOGUE_BYTES)
    _check_hash(directory / CATALOGUE, files[CATALOGUE])
    catalogue = _read_json(directory / CATALOGUE)
    check_contents(directory, arrays, catalogue)
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
    check_size(path, MAX_MANIFEST_BYTES)
    manifest = _read_json(path)
    check_manifest(path, manifest)
    return manifest


def _load_array(path: Path, listed: Mapping[str, Any]) -> npt.NDArray[Any]:
    try:
        # The header is read and the file's size compared before a byte is allocated: a header may lie.
        with np.errstate(over="ignore"):
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        refuse(path, "is missing")
    except (ValueError, OSError, OverflowError, EOFError, SyntaxError) as error:
        refuse(path, f"is not a readable .npy array ({error})")
    if list(array.shape) != listed.get("shape") or array.dtype.str != listed.get("dtype"):
        was, expected = f"{array.dtype.str} {list(array.shape)}", f"{listed.get('dtype')} {listed.get('shape')}"
        refuse(path, f"holds {was}, the manifest says {expected}")
    _check_hash(path, listed)
    # The base class without memmap's bookkeeping on every slice.
    return array.view(np.ndarray)


def _check_hash(path: Path, listed: Mapping[str, Any]) -> None:
    if not path.is_file():
        refuse(path, "is missing")
    if _sha256(path) != listed.get("sha256"):
        refuse(path, "does not have the SHA-256 that the manifest gives: it is damaged or truncated")


def _as_stored(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = np.asarray(array, dtype=(ARRAYS | OPTIONAL)[name][0])
    # One dimension of all items after the other: scoring all items for one user then reads memory in order.
    return np.asfortranarray(array) if name == "item_embeddings" else np.ascontiguousarray(array)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        refuse(path, "is missing")
    except (ValueError, OSError, RecursionError) as error:
        refuse(path, f"is not readable JSON ({error})")
    if not isinstance(content, dict):
        refuse(path, "is not a JSON object")
    return content


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
