"""The model artifact: the directory that training writes and the service reads.

One `.npy` file per array, so that a reader can map it into memory, and `manifest.json`, written last, which names
every file with its shape, dtype and SHA-256. Nothing is pickled. docs/artifact.md describes the format.
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract import format_1
from app.contract.artifact_checks import check_contents
from app.contract.artifact_files import give_pages_back, load_arrays, read_json, sha256_of, write_json
from app.contract.artifact_format import (
    ARRAYS,
    CATALOGUE_ARRAYS,
    FORMAT_VERSION,
    KIND,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    OPTIONAL,
    Arrays,
    ArtifactError,
    Float32Array,
    check_listed,
    check_manifest,
)
from app.contract.catalogue import Catalogue

__all__ = [
    "MANIFEST",
    "Artifact",
    "ArtifactError",
    "Events",
    "Float32Array",
    "Recipe",
    "content_hash",
    "load_artifact",
    "write_artifact",
]


@dataclass(frozen=True)
class Recipe:
    """What an artifact was made from."""

    family: str
    params: Mapping[str, Any]
    seed: int
    data_hash: str


class Events(NamedTuple):
    """Which recorded events the model has learned from: those of a store, a UUID, up to a number, that included."""

    store: str
    until: int


@dataclass(frozen=True)
class Artifact:
    """A trained model as arrays; the row number in `user_ids` or `item_ids` is the internal id.

    Score of an item for a user = user_embedding · item_embedding + item_bias. The items that a user has rated are
    the CSR row `seen_indices[seen_indptr[u]:seen_indptr[u + 1]]`; `seen_liked`, parallel to it, tells the positives.
    A new user's vector is Σ encoder[history] / √len(history) + encoder_intercept. Ids are sorted and unique.
    `ready_items`, if there, are each user's first unseen items as `Recommender` ranks them, padded with -1;
    `ready_scores` are their scores by `ready_scores.as_millionths`. Ratings of at least `min_rating` stars were
    positives; None: all were.
    """

    recipe: Recipe
    user_ids: npt.NDArray[Any]
    item_ids: npt.NDArray[Any]
    user_embeddings: Float32Array
    item_embeddings: Float32Array
    item_biases: Float32Array
    item_popularity: npt.NDArray[np.int64]
    seen_indptr: npt.NDArray[np.int64]
    seen_indices: npt.NDArray[np.int32]
    seen_liked: npt.NDArray[np.bool_]
    encoder: Float32Array
    encoder_intercept: Float32Array
    catalogue: Catalogue
    ready_items: npt.NDArray[np.int32] | None = None
    ready_scores: npt.NDArray[np.int32] | None = None
    events: Events | None = None
    min_rating: float | None = None


def content_hash(directory: Path) -> str:
    """SHA-256 of the manifest, and thereby of every byte of the artifact."""
    return sha256_of(directory / MANIFEST)


def write_artifact(directory: Path, artifact: Artifact) -> None:
    """Write the artifact so that `directory` holds either all of it or what it held before.

    Raises ArtifactError where the arrays contradict each other or hold NaN or infinity.
    """
    arrays = _arrays_of(artifact)
    check_contents(directory, arrays)
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        partial.chmod(0o755)
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array, allow_pickle=False)
        manifest = _manifest(partial, artifact, arrays)
        check_manifest(directory / MANIFEST, manifest)
        write_json(partial / MANIFEST, manifest)
        _replace(directory, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load_artifact(directory: Path) -> Artifact:
    """Map an artifact into memory after checking every file against the manifest.

    Raises ArtifactError, naming the file, if anything is missing, damaged, inconsistent, not finite,
    or of a newer format.
    """
    path = directory / MANIFEST
    manifest = read_json(path, MAX_MANIFEST_BYTES)
    check_manifest(path, manifest)
    load = format_1.load if manifest["format_version"] == 1 else _load
    arrays = load(directory, manifest["files"])
    check_contents(directory, arrays)
    give_pages_back(arrays)
    catalogue = Catalogue(**{name: arrays.pop(name) for name in CATALOGUE_ARRAYS})
    recipe = Recipe(manifest["family"], manifest["params"], manifest["seed"], manifest["data_hash"])
    events = Events(**manifest["events"]) if "events" in manifest else None
    min_rating = manifest.get("min_rating")
    return Artifact(recipe=recipe, catalogue=catalogue, events=events, min_rating=min_rating, **arrays)


def _load(directory: Path, files: Mapping[str, Any]) -> Arrays:
    has_optional = any(f"{name}.npy" in files for name in OPTIONAL)
    names = [*ARRAYS, *(OPTIONAL if has_optional else [])]
    check_listed(directory / MANIFEST, files, [f"{name}.npy" for name in names])
    return load_arrays(directory, files, names)


def _arrays_of(artifact: Artifact) -> Arrays:
    found = {field.name: getattr(artifact, field.name) for field in fields(artifact)}
    found |= {name: getattr(artifact.catalogue, name) for name in CATALOGUE_ARRAYS}
    names = [*ARRAYS, *(name for name in OPTIONAL if found[name] is not None)]
    return {name: _as_stored(name, found[name]) for name in names}


def _as_stored(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array = np.asarray(array, dtype=(ARRAYS | OPTIONAL)[name][0])
    # One dimension of all items after the other: scoring all items for one user then reads memory in order.
    return np.asfortranarray(array) if name == "item_embeddings" else np.ascontiguousarray(array)


def _manifest(directory: Path, artifact: Artifact, arrays: Arrays) -> dict[str, Any]:
    recipe = artifact.recipe
    files = {
        f"{name}.npy": {
            "sha256": sha256_of(directory / f"{name}.npy"),
            "shape": list(array.shape),
            "dtype": array.dtype.str,
        }
        for name, array in arrays.items()
    }
    return {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "family": recipe.family,
        "params": dict(recipe.params),
        "seed": recipe.seed,
        "data_hash": recipe.data_hash,
        "files": files,
        **({"events": artifact.events._asdict()} if artifact.events else {}),
        **({} if artifact.min_rating is None else {"min_rating": artifact.min_rating}),
    }


def _replace(directory: Path, partial: Path) -> None:
    if directory.exists():
        former = partial.with_name(f"{partial.name}-former")
        directory.rename(former)
        partial.rename(directory)
        shutil.rmtree(former)
    else:
        partial.rename(directory)
