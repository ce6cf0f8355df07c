"""The prepared data as Spark writes it: users in fixed buckets, each a file with whole users."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from training.data.dataset import (
    ITEM,
    POSITIVE,
    RATING,
    SPLITS,
    TIMESTAMP,
    USER,
    USER_ID,
    Dataset,
    Part,
    as_ids,
    hash_array,
    load_dataset,
)
from training.data.interactions import Interactions
from training.data.split import cut_in_time, split_rows
from training.files import read_json, write_json, write_parquet
from training.params.prepare import SplitParams
from training.spark.reading import ORDER

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

FILE = "buckets.json"
BUCKET = "bucket"
_COLUMNS = [USER, ITEM, RATING, TIMESTAMP, POSITIVE]
Cuts = tuple[float, float] | None  # the first moments of validation and of test, for everybody


@dataclass(frozen=True)
class Buckets:
    """How `users` are divided: bucket b holds the users from b · size to (b + 1) · size - 1."""

    prepared: Path
    users: int
    size: int

    @classmethod
    def divide(cls, prepared: Path, users: int, number: int) -> "Buckets":
        """Divide users into at most so many buckets."""
        return cls(prepared, users, max(1, -(-users // number)))

    @classmethod
    def read(cls, prepared: Path) -> "Buckets":
        """Read how the prepared data is divided; raise DataError where it isn't."""
        content = read_json(prepared / FILE, "run: dvc repro --force prepare, with engine: spark")
        return cls(prepared, content["users"], content["size"])

    def write(self, folder: Path) -> None:
        """Write it into another folder, which then takes the place of `prepared`."""
        write_json(folder / FILE, {"users": self.users, "size": self.size})

    @property
    def number(self) -> int:
        """How many there are."""
        return -(-self.users // self.size)

    def part(self, bucket: int) -> Part:
        """The files of a bucket, and its first user."""
        return Part(file_name(bucket), bucket * self.size)

    def load(self, bucket: int, splits: Sequence[str] = SPLITS) -> Dataset:
        """The data of a bucket's users, numbered from 0."""
        return load_dataset(self.prepared, splits, self.part(bucket))

    def sample(self, size: int, seed: int, splits: Sequence[str]) -> "Sample":
        """Draw at most `size` users at random, or take all: then the data is what `load_dataset` reads."""
        if self.users <= size:
            return Sample(load_dataset(self.prepared, splits), np.arange(self.users))
        users = np.sort(np.random.default_rng(seed).choice(self.users, size, replace=False))
        bounds = np.searchsorted(users, np.arange(self.number + 1) * self.size)
        parts = [
            _only(self.load(bucket, splits), users[start:end] - bucket * self.size)
            for bucket, (start, end) in enumerate(pairwise(bounds.tolist()))
            if start < end
        ]
        return Sample(_joined(parts, splits), users)

    @property
    def n_ratings(self) -> int:
        """The ratings of all splits."""
        return sum(pq.read_metadata(file).num_rows for name in SPLITS for file in self.files(name))

    def files(self, name: str) -> list[Path]:
        """The files of a split, or of `users`."""
        return [self.prepared / f"{name}.parquet" / file_name(bucket) for bucket in range(self.number)]

    def hash(self, splits: Sequence[str]) -> str:
        """Compute `Dataset.hash` without holding more than a column of a bucket."""
        items, digest = load_dataset(self.prepared, (), self.part(0)), hashlib.sha256()
        features = items.item_features
        self._hash_column(digest, "users", USER_ID)
        for array in (items.item_ids, features.indptr, features.indices, features.data):
            hash_array(digest, [array], array.dtype, len(array))
        for split in splits:
            for column in (USER, ITEM, POSITIVE, RATING, TIMESTAMP):
                self._hash_column(digest, split, column)
        digest.update(json.dumps(items.item_feature_entries, sort_keys=True).encode())
        return digest.hexdigest()

    def _hash_column(self, digest: "hashlib._Hash", name: str, column: str) -> None:
        """Update a digest with a column of all buckets."""
        files = self.files(name)

        def parts() -> Iterator[npt.NDArray[Any]]:
            for file in files:
                values = pd.read_parquet(file, columns=[column])[column]
                yield as_ids(values) if column == USER_ID else values.to_numpy()

        # The longest text of all decides how wide each one is.
        dtype = np.result_type(*(part.dtype for part in parts())) if column == USER_ID else next(parts()).dtype
        hash_array(digest, parts(), dtype, sum(pq.read_metadata(file).num_rows for file in files))


@dataclass(frozen=True)
class Sample:
    """The data of some users, and their numbers among all: sorted int64 (n_users,)."""

    dataset: Dataset
    users: npt.NDArray[np.int64]


def _only(dataset: Dataset, users: npt.NDArray[np.int64]) -> Dataset:
    """The data of some users, sorted rows, numbered from 0."""
    splits = {}
    for name, split in dataset.splits.items():
        kept = split.where(np.isin(split.users, users))
        splits[name] = replace(kept, users=np.searchsorted(users, kept.users).astype(np.int32))
    return replace(dataset, user_ids=dataset.user_ids[users], splits=splits)


def _joined(parts: Sequence[Dataset], splits: Sequence[str]) -> Dataset:
    """The users of several parts, numbered on."""
    firsts = np.cumsum([0, *(part.n_users for part in parts)])

    def split(name: str) -> Interactions:
        return Interactions.concatenate(
            replace(part.splits[name], users=part.splits[name].users + np.int32(first))
            for part, first in zip(parts, firsts[:-1], strict=True)
        )

    user_ids = np.concatenate([part.user_ids for part in parts])
    return replace(parts[0], user_ids=user_ids, splits={name: split(name) for name in splits})


def file_name(bucket: int) -> str:
    """The name of a bucket's file."""
    return f"{bucket:05}.parquet"


def write_rows(rows: "DataFrame", folder: Path, params: SplitParams, cuts: Cuts) -> pd.DataFrame:
    """Write every bucket's files in its own task, and return a row of figures for each."""
    for name in ("users", *SPLITS):
        (folder / f"{name}.parquet").mkdir()
    schema = ", ".join([f"{BUCKET} int", "rows long", *(f"{name} long" for name in SPLITS), "highest double"])

    def write(bucket: pd.DataFrame) -> pd.DataFrame:
        return _write_bucket(bucket, folder, params, cuts)

    figures: pd.DataFrame = rows.groupBy(BUCKET).applyInPandas(write, schema).toPandas()
    return figures


def _write_bucket(rows: pd.DataFrame, folder: Path, params: SplitParams, cuts: Cuts) -> pd.DataFrame:
    """Split the rows of a bucket's users and write them; equal rows give equal bytes, whatever order they come in."""
    rows = rows.sort_values([USER, TIMESTAMP, *ORDER], ignore_index=True).astype({USER: np.int32, ITEM: np.int32})
    if cuts is None:
        numbers = split_rows(rows, params, np.random.default_rng(0))
    else:
        numbers = cut_in_time(rows[TIMESTAMP].to_numpy(), *cuts)
    file = file_name(int(rows[BUCKET].iloc[0]))
    users = rows[[USER_ID]][~rows.duplicated(USER)].reset_index(drop=True)
    frames = {name: rows.loc[numbers == number, _COLUMNS].reset_index(drop=True) for number, name in enumerate(SPLITS)}
    for name, frame in {"users": users, **frames}.items():
        write_parquet(folder / f"{name}.parquet" / file, frame)
    positives = {name: [int(frame[POSITIVE].sum())] for name, frame in frames.items()}
    highest = float(rows[RATING].max())
    return pd.DataFrame({BUCKET: rows[BUCKET].head(1), "rows": [len(rows)], **positives, "highest": [highest]})
