"""Makes the artifact of all users from what was learned of items: one bucket of users after the other, in executors."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from app.contract.artifact_directory import load_artifact
from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder
from training.errors import TrainingError
from training.files import read_parquet, replacing
from training.fitting.assembly import Knowledge
from training.models import make_family
from training.models.base import Factors, Family, TrainingData
from training.models.histories import with_encoded_users
from training.models.spark_als import stacked
from training.models.validated_fit import WeighsByAge
from training.refit import with_ready_lists
from training.spark.buckets import Buckets, file_name

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

USER_ARRAYS = (
    "user_ids", "user_embeddings", "seen_lengths", "seen_indices", "seen_liked", "ready_items", "ready_scores",
)  # fmt: skip
COPIES = 3  # of the users' arrays, before the artifact is whole: parts, joined, written


@dataclass(frozen=True)
class Everyone:
    """All users of some splits. `folder`, on a disk that executors share, holds what is known of items.

    That is `model`, the artifact of a sample of users, and `vectors`, if there: a file of learned vectors per bucket.
    Users without a learned vector get one from their history by the model's encoder.
    """

    buckets: Buckets
    splits: tuple[str, ...]
    folder: Path
    ready: int = 0

    def assemble(self, spark: "SparkSession") -> Artifact:
        """Make the artifact, its arrays of users mapped from files in `folder`."""
        numbers = range(self.buckets.number)
        spark.sparkContext.parallelize(numbers, len(numbers)).foreach(partial(_write_part, self))
        model = load_artifact(self.folder / "model")
        joined: dict[str, Any] = dict(self._joined())
        lengths = joined.pop("seen_lengths")
        return replace(model, seen_indptr=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), **joined)

    def part(self, bucket: int) -> Artifact:
        """The artifact of one bucket's users."""
        knowledge, model = Knowledge(self.buckets.load(bucket, self.splits), self.splits, 1), _model(self.folder)
        encoder = Encoder(model.encoder, model.encoder_intercept, model.recency)
        factors = self._factors(bucket, knowledge, model, encoder)
        popularity = {name: getattr(model, name) for name in ("item_popularity", "aged_popularity", "aging")}
        artifact = replace(knowledge.assembled(factors, model.recipe, encoder), **popularity)
        return with_ready_lists(artifact, self.ready, progress=False)

    def _factors(self, bucket: int, knowledge: Knowledge, model: Artifact, encoder: Encoder) -> Factors:
        zeros, dim = np.zeros(len(knowledge.known_users), dtype=np.float32), model.item_embeddings.shape[1]
        nobody = np.zeros((len(zeros), dim), dtype=np.float32)
        factors = Factors(nobody, model.item_embeddings, zeros, model.item_biases, encoder)
        vectors = self.folder / "vectors"
        if vectors.is_dir():
            first = self.buckets.part(bucket).first_user
            found = _vectors(vectors / file_name(bucket), first, knowledge.dataset.n_users, dim)
            return replace(factors, user_embeddings=found[knowledge.known_users])
        family = make_family(model.recipe.family, model.recipe.params)
        factors = by_history(knowledge.training_data, factors, family)
        _copy_learned(model, knowledge.dataset.user_ids[knowledge.known_users], factors.user_embeddings)
        return factors

    def _joined(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        """The users' arrays, joined part by part, so that no more than a part is in memory."""
        for name in USER_ARRAYS:
            parts = [np.load(path, mmap_mode="r") for path in sorted((self.folder / "parts").glob(f"*/{name}.npy"))]
            if parts:
                shape = (sum(map(len, parts)), *parts[0].shape[1:])
                dtype = np.result_type(*(part.dtype for part in parts))
                whole = np.lib.format.open_memmap(self.folder / f"{name}.npy", "w+", dtype, shape)
                np.concatenate(parts, out=whole)
                yield name, whole


def by_history(data: TrainingData, factors: Factors, family: Family) -> Factors:
    """The factors with users folded in as the service does it, or as their family weighs histories by age."""
    recency = None if factors.encoder is None else factors.encoder.recency
    factors = with_encoded_users(data, factors, recency)
    return family.with_recency(data, factors) if isinstance(family, WeighsByAge) else factors


def check_room(folder: Path, buckets: Buckets, n_ratings: int, dim: int, ready: int) -> None:
    """Refuse, before hours are spent, users whose artifact the disk can't hold."""
    size = buckets.users * (4 * dim + 8 * ready + 16) + 5 * n_ratings
    free = shutil.disk_usage(folder).free
    if COPIES * size > free:
        raise TrainingError(
            f"the artifact of {buckets.users:,} users takes about {size / 1e9:.1f} GB, {COPIES} times while it "
            f"is made, and {free / 1e9:.1f} GB are free: free some, lower embedding_size or refit.ready_items, or read "
            "docs/scale.md on a service without users in its artifact"
        )


@lru_cache(maxsize=2)
def _model(folder: Path) -> Artifact:
    """What is known of items, which each process of an executor loads once."""
    return load_artifact(folder / "model")


def _write_part(everyone: Everyone, bucket: int) -> None:
    artifact = everyone.part(bucket)
    with replacing(everyone.folder / "parts" / f"{bucket:05}") as partial_folder:
        partial_folder.mkdir()
        for name in USER_ARRAYS:
            array = np.diff(artifact.seen_indptr) if name == "seen_lengths" else getattr(artifact, name)
            if array is not None:
                np.save(partial_folder / f"{name}.npy", array, allow_pickle=False)


def _vectors(file: Path, first_user: int, n_users: int, dim: int) -> Float32Array:
    """The learned vectors of a bucket's users: float32 (n_users, dim)."""
    if not file.is_file():  # nobody in the bucket likes anything
        return np.zeros((n_users, dim), dtype=np.float32)
    frame = read_parquet(file, "run: dvc repro")
    return stacked(frame.assign(id=frame["id"] - first_user), n_users, dim)


def _copy_learned(model: Artifact, user_ids: npt.NDArray[Any], vectors: Float32Array) -> None:
    """Give the users of the sample what was learned of them."""
    rows = np.minimum(np.searchsorted(model.user_ids, user_ids), len(model.user_ids) - 1)
    known = model.user_ids[rows] == user_ids
    vectors[known] = model.user_embeddings[rows[known]]
