"""The model artifact: the directory that training writes and the service reads.

One `.npy` file per array, so that a reader can map it into memory, and `manifest.json`, written last, which names
every file with its shape, dtype and SHA-256. Nothing is pickled. docs/artifact.md describes the format.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract import format_2
from app.contract.artifact_checks import check_contents, check_features
from app.contract.artifact_files import give_pages_back, load_arrays, read_json, sha256_of, write_json
from app.contract.artifact_format import (
    AGED,
    BY_ITEM,
    BY_TIME,
    CATALOGUE_ARRAYS,
    FORMAT_VERSION,
    KIND,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    TRENDING,
    WORD_ARRAYS,
    Arrays,
    ArtifactError,
    Float32Array,
    check_listed,
    table_of,
)
from app.contract.catalogue import Catalogue
from app.contract.columns import Column
from app.contract.events import DEFAULT_TYPES, Described
from app.contract.item_fold_in import ItemFoldIn
from app.contract.manifest_checks import check_manifest
from app.contract.words import Words

__all__ = [
    "MANIFEST",
    "Aging",
    "Artifact",
    "ArtifactError",
    "Float32Array",
    "ItemFoldIn",
    "LearnedEvents",
    "Recipe",
    "Trends",
    "content_hash",
    "load_artifact",
    "write_artifact",
]


Columns = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """What an artifact was made from."""

    family: str
    params: Mapping[str, Any]
    seed: int
    data_hash: str


Feature = Mapping[str, Any]  # which value of which column it is, as docs/artifact.md has it


class LearnedEvents(NamedTuple):
    """The events that the model has learned from: those of a store (a UUID) up to and including a position."""

    store: str
    until: int


class Aging(NamedTuple):
    """A positive counts half as much for each `half_life` in seconds that it is older than `at`, seconds since 1970."""

    half_life: float
    at: float


class Trends(NamedTuple):
    """The half-lives, in seconds, of each row of `trending`, and the time, in seconds since 1970, that it is of."""

    half_lives: Sequence[float]
    at: float


@dataclass(frozen=True)
class Artifact:
    """A trained model as arrays; the row number in `user_ids` or `item_ids` is the internal id.

    Score of an item for a user = user_embedding · item_embedding + item_bias. The items that a user has rated are
    the CSR row `seen_indices[seen_indptr[u]:seen_indptr[u + 1]]`; `seen_liked`, parallel to it, tells the positives.
    With the `seen_order` `time` a user's are in the order of time, with `item` in that of rows. A new user's vector is
    that of `encoder.Encoder` with `recency`, drawn towards `mean_user`, which counts like `newcomer_weight` liked
    items. Ids are sorted and unique.
    `ready_items`, if there, are each user's first unseen items as `Recommender` ranks them, padded with -1;
    `ready_scores` are their scores by `ready_scores.as_millionths`. Ratings of at least `min_rating` stars were
    positives; None: all were. `item_encoder` makes an item's vector and bias from its `item_features` and a constant,
    which is the last row; `user_encoder` a user's vector from `user_features`, which follow from the attributes that
    `user_columns` names, and `of_strangers` adds `first_likes` to it. `item_fold_in` is there with `fold_in_mean`, the
    mean of the scaled users. `aged_popularity`, positives that count by `aging`, ranks items for somebody of whom
    nothing is known, and `trending`, the same with the half-lives of `trends`, says what is liked of late.
    `event_types` are the further types that `events.Described` has.
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
    item_encoder: Float32Array | None = None
    user_encoder: Float32Array | None = None
    mean_user: Float32Array | None = None
    first_likes: Float32Array | None = None
    fold_in_mean: Float32Array | None = None
    aged_popularity: Float32Array | None = None
    trending: Float32Array | None = None
    events: LearnedEvents | None = None
    min_rating: float | None = None
    newcomer_weight: float = 0.0
    recency: float = 0.0
    seen_order: str = BY_ITEM
    item_features: Sequence[Feature] = ()
    user_features: Sequence[Feature] = ()
    item_fold_in: ItemFoldIn | None = None
    aging: Aging | None = None
    trends: Trends | None = None
    user_columns: Sequence[Column] = ()
    event_types: Described = field(default_factory=lambda: DEFAULT_TYPES)

    @property
    def popularity_scores(self) -> Float32Array:
        """What ranks items for somebody of whom nothing is known: float32 (n_items,)."""
        return self.item_popularity.astype(np.float32) if self.aged_popularity is None else self.aged_popularity

    def of_strangers(self, starts: Float32Array) -> Float32Array:
        """Make the vectors of people who like nothing yet of what attributes say of them: float32, (n, dim) or (dim,).

        What people like first is not what they like in all.
        """
        return starts if self.first_likes is None else starts + self.first_likes


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
    return Artifact(
        recipe=Recipe(manifest["family"], manifest["params"], manifest["seed"], manifest["data_hash"]),
        catalogue=_catalogue(arrays, columns),
        events=LearnedEvents(**manifest["events"]) if "events" in manifest else None,
        min_rating=manifest.get("min_rating"),
        newcomer_weight=manifest.get("newcomer_weight", 0.0),
        recency=manifest.get("recency", 0.0),
        seen_order=manifest.get("seen_order", BY_ITEM),
        item_features=manifest.get("item_features", ()),
        user_features=manifest.get("user_features", ()),
        item_fold_in=ItemFoldIn(**manifest["item_fold_in"]) if "item_fold_in" in manifest else None,
        aging=Aging(**manifest[AGED]) if AGED in manifest else None,
        trends=Trends(**manifest[TRENDING]) if TRENDING in manifest else None,
        user_columns=[Column(**{key: each[key] for key in Column.KEYS}) for each in manifest.get("user_columns", ())],
        event_types=manifest.get("event_types", DEFAULT_TYPES),
        **arrays,
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
        **({"events": artifact.events._asdict()} if artifact.events else {}),
        **({} if artifact.min_rating is None else {"min_rating": artifact.min_rating}),
        **({} if artifact.mean_user is None else {"newcomer_weight": artifact.newcomer_weight}),
        **({"seen_order": BY_TIME, "recency": artifact.recency} if artifact.seen_order == BY_TIME else {}),
        **({"item_fold_in": artifact.item_fold_in._asdict()} if artifact.item_fold_in else {}),
        **({AGED: artifact.aging._asdict()} if artifact.aging else {}),
        **({TRENDING: artifact.trends._asdict()} if artifact.trends else {}),
        **({} if artifact.item_encoder is None else {"item_features": [*artifact.item_features]}),
        **({} if artifact.user_encoder is None else _of_people(artifact)),
    }


def _of_people(artifact: Artifact) -> dict[str, Any]:
    return {"user_features": [*artifact.user_features], "user_columns": _described(artifact.user_columns)}


def _replace(directory: Path, partial: Path) -> None:
    if directory.exists():
        former = partial.with_name(f"{partial.name}-former")
        directory.rename(former)
        partial.rename(directory)
        shutil.rmtree(former)
    else:
        partial.rename(directory)
