"""Writes an artifact into a directory, and reads it.

One `.npy` file per array, so that a reader can map it into memory, and `manifest.json`, written last, which names
every file with its shape, dtype and SHA-256. Nothing is pickled. docs/artifact.md describes the format.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract import format_2
from app.contract.artifact import Aging, Artifact, LearnedEvents, Recipe, Trends
from app.contract.artifact_checks import check_contents, check_features
from app.contract.artifact_files import give_pages_back, load_arrays, read_json, sha256_of, write_json
from app.contract.artifact_format import (
    AGED,
    BY_TIME,
    CATALOGUE_ARRAYS,
    FORMAT_VERSION,
    KIND,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    TRENDING,
    WORD_ARRAYS,
    Arrays,
    check_listed,
    table_of,
)
from app.contract.catalogue import Catalogue
from app.contract.columns import Column
from app.contract.item_fold_in import ItemFoldIn
from app.contract.manifest_checks import check_manifest
from app.contract.words import Words

Columns = Sequence[Mapping[str, Any]]

# What an artifact need not have: entries of the manifest that are fields of an artifact, and fields that are groups of
# numbers, each with its entry.
PLAIN = ("min_rating", "newcomer_weight", "recency", "seen_order", "item_features", "user_features", "event_types")
GROUPED: Mapping[str, tuple[str, type[Any]]] = {
    "events": ("events", LearnedEvents),
    "item_fold_in": ("item_fold_in", ItemFoldIn),
    "aging": (AGED, Aging),
    "trends": (TRENDING, Trends),
}


def content_hash(directory: Path) -> str:
    """SHA-256 of the manifest, and thereby of every byte of the artifact."""
    return sha256_of(directory / MANIFEST)


def write_artifact(directory: Path, artifact: Artifact) -> None:
    """Write the artifact so that `directory` holds either all of it or what it held before.

    Raises ArtifactError where the arrays contradict each other or hold NaN or infinity.
    """
    arrays = _arrays_of(artifact)
    check_contents(directory, arrays, _described(artifact.catalogue.columns))
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
    former = manifest["format_version"] == format_2.VERSION
    columns = format_2.COLUMNS if former else manifest.get("columns", [])
    arrays = _load(directory, manifest["files"], columns, former=former)
    check_contents(directory, arrays, columns)
    for name, known, of in (("item", columns, arrays), ("user", manifest.get("user_columns", []), {})):
        check_features(path, manifest.get(f"{name}_features", []), arrays.get(f"{name}_encoder"), known, of)
    give_pages_back(arrays)
    given: dict[str, Any] = {key: manifest[key] for key in PLAIN if key in manifest}
    given |= {name: kind(**manifest[key]) for name, (key, kind) in GROUPED.items() if key in manifest}
    return Artifact(
        recipe=Recipe(manifest["family"], manifest["params"], manifest["seed"], manifest["data_hash"]),
        catalogue=_catalogue(arrays, columns),
        user_columns=[Column(**{key: each[key] for key in Column.KEYS}) for each in manifest.get("user_columns", ())],
        **(given | arrays),
    )


def _load(directory: Path, files: Mapping[str, Any], columns: Columns, *, former: bool) -> Arrays:
    table = table_of([] if former else columns, {name.removesuffix(".npy") for name in files})
    check_listed(directory / MANIFEST, files, [f"{name}.npy" for name in table])
    arrays = load_arrays(directory, files, table)
    return arrays | format_2.load_columns(directory, files) if former else arrays


def _catalogue(arrays: Arrays, columns: Columns) -> Catalogue:
    """Build the catalogue, taking its arrays out of `arrays`."""
    found = []
    for number, column in enumerate(columns):
        prefix = f"column_{number}_"
        own = {name.removeprefix(prefix): arrays.pop(name) for name in [*arrays] if name.startswith(prefix)}
        words = Words(**{name: own.pop(name) for name in WORD_ARRAYS}) if "words" in own else None
        found.append(Column(**{key: column[key] for key in Column.KEYS}, arrays=own, words=words))
    return Catalogue(columns=tuple(found), **{name: arrays.pop(name) for name in CATALOGUE_ARRAYS})


def _described(columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [column.described for column in columns]


def _arrays_of(artifact: Artifact) -> Arrays:
    columns = artifact.catalogue.columns
    found = {each.name: getattr(artifact, each.name) for each in fields(artifact)} | vars(artifact.catalogue)
    for number, column in enumerate(columns):
        words = {} if column.words is None else {name: getattr(column.words, name) for name in WORD_ARRAYS}
        found |= {f"column_{number}_{name}": array for name, array in {**column.arrays, **words}.items()}
    table = table_of(_described(columns), {name for name, value in found.items() if value is not None})
    return {name: _as_stored(name, found[name], dtype) for name, (dtype, _) in table.items()}


def _as_stored(name: str, array: npt.NDArray[Any], dtype: str | None) -> npt.NDArray[Any]:
    array = np.asarray(array, dtype=dtype)
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
    of_people = {"user_features": [*artifact.user_features], "user_columns": _described(artifact.user_columns)}
    return {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "family": recipe.family,
        "params": dict(recipe.params),
        "seed": recipe.seed,
        "data_hash": recipe.data_hash,
        "files": files,
        "columns": _described(artifact.catalogue.columns),
        "event_types": {name: dict(described) for name, described in artifact.event_types.items()},
        **{key: value._asdict() for name, (key, _) in GROUPED.items() if (value := getattr(artifact, name))},
        **({} if artifact.min_rating is None else {"min_rating": artifact.min_rating}),
        **({} if artifact.mean_user is None else {"newcomer_weight": artifact.newcomer_weight}),
        **({"seen_order": BY_TIME, "recency": artifact.recency} if artifact.seen_order == BY_TIME else {}),
        **({} if artifact.item_encoder is None else {"item_features": [*artifact.item_features]}),
        **({} if artifact.user_encoder is None else of_people),
    }


def _replace(directory: Path, partial: Path) -> None:
    if directory.exists():
        former = partial.with_name(f"{partial.name}-former")
        directory.rename(former)
        partial.rename(directory)
        shutil.rmtree(former)
    else:
        partial.rename(directory)
