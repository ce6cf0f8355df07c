"""The prepared data: interactions by internal id, the ids, the catalogue and the item features.

Its positives are what the API and the metrics call interactions.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from app.contract.catalogue import Catalogue, pack
from app.contract.columns import Column
from training.data.features import read_matrix
from training.data.people import People, read_people
from training.data.word_file import read_words
from training.files import read_json, read_parquet

USER_ID = "user_id"
ITEM_ID = "item_id"
RATING = "rating"
TIMESTAMP = "timestamp"
TITLE = "title"
HELD_OUT = "held_out"  # true for rows of the test file of a given split

USER = "user"
ITEM = "item"
POSITIVE = "positive"
WEIGHT = "weight"  # of a positive that counts less than a like

SPLITS = ("train", "validation", "test")
COLUMNS_FILE = "columns.json"
FEATURES_FILE = "features.parquet"
WEIGHTS_FILE = "weights.parquet"

_COLUMNS = {
    "users": [USER_ID],
    "items": [ITEM_ID, TITLE],
    **{split: [USER, ITEM, POSITIVE, RATING, TIMESTAMP] for split in SPLITS},
}


@dataclass(frozen=True)
class Interactions:
    """Ratings as columns: user row, item row (int32), whether it is a positive (bool), stars (float32), time (int64).

    Stars are NaN where the data has none. Times are seconds since 1970, or all the same where the data has none.
    """

    users: npt.NDArray[np.int32]
    items: npt.NDArray[np.int32]
    positive: npt.NDArray[np.bool_]
    stars: npt.NDArray[np.float32]
    times: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def concatenate(cls, parts: Iterable["Interactions"]) -> "Interactions":
        """Join the interactions of several parts."""
        columns = zip(*(part.columns() for part in parts), strict=True)
        return cls(*map(np.concatenate, columns))

    def positives(self) -> "Interactions":
        """Keep only the positives."""
        return self.where(self.positive)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Interactions":
        """Keep only those where `chosen`, bool (n,), is True."""
        return Interactions(*(column[chosen] for column in self.columns()))

    def columns(self) -> list[npt.NDArray[Any]]:
        """Return the columns in the order of the fields."""
        return [getattr(self, field.name) for field in fields(self)]

    def matrix(self, n_users: int, n_items: int) -> sparse.csr_matrix:
        """Make a matrix of ones where a user has rated an item: float32 CSR (n_users, n_items), indices sorted."""
        matrix = self._matrix(np.ones(len(self), dtype=np.float32), n_users, n_items)
        matrix.data[:] = 1  # a given split may have a pair in two parts
        return matrix

    def star_matrix(self, n_users: int, n_items: int) -> sparse.csr_matrix:
        """Make a matrix of stars where a user has rated an item: float32 CSR (n_users, n_items), indices sorted."""
        return self._matrix(self.stars, n_users, n_items)

    def time_matrix(self, n_users: int, n_items: int) -> sparse.csr_matrix | None:
        """Make a matrix of the times at which a user has rated an item, float64 CSR (n_users, n_items), indices sorted.

        None where the data has no times.
        """
        if not len(self) or self.times.min() == self.times.max():
            return None
        matrix = self._matrix(self.times.astype(np.float64), n_users, n_items)
        # A given split may have a pair in two parts; it then gets the mean of both times.
        matrix.data /= self._matrix(np.ones(len(self)), n_users, n_items).data
        return matrix

    def _matrix(self, values: npt.NDArray[np.floating[Any]], n_users: int, n_items: int) -> sparse.csr_matrix:
        matrix = sparse.csr_matrix((values, (self.users, self.items)), shape=(n_users, n_items))
        matrix.sort_indices()
        return matrix


@dataclass(frozen=True)
class Dataset:
    """The output of `prepare` in memory. A row number of `user_ids` or `item_ids` is the internal id.

    `columns` are those of the catalogue, without values, but with the words of texts. `item_features` is float32 CSR
    (n_items, n_features), and `item_feature_entries` says of each feature what an artifact does. `people` is what is
    known of users beside their ratings, None if nothing. `weights` are those of positives that count less than a like:
    float32 CSR (n_users, n_items), None if all count alike.
    """

    user_ids: npt.NDArray[Any]
    catalogue: pd.DataFrame
    columns: tuple[Column, ...]
    item_features: sparse.csr_matrix
    item_feature_entries: list[dict[str, Any]]
    splits: dict[str, Interactions]
    people: People | None = None
    weights: sparse.csr_matrix | None = None

    @property
    def n_users(self) -> int:
        """Users with a rating in any split."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Items of the catalogue, rated or not."""
        return len(self.catalogue)

    @cached_property
    def item_ids(self) -> npt.NDArray[Any]:
        """External item ids, sorted."""
        return as_ids(self.catalogue[ITEM_ID])

    @cached_property
    def packed(self) -> Catalogue:
        """The catalogue as an artifact stores it."""
        tables = (self.catalogue[column.name].astype(object) for column in self.columns)
        values = (table.where(table.notna(), None) for table in tables)
        columns = [column.filled(each) for column, each in zip(self.columns, values, strict=True)]
        return pack(self.catalogue[TITLE].tolist(), columns)

    def interactions(self, *splits: str) -> Interactions:
        """Join the interactions of some splits."""
        return Interactions.concatenate(self.splits[name] for name in splits)

    def hash(self, *splits: str) -> str:
        """Compute the SHA-256 of what a model can learn from: ids, features and the named splits, in this order."""
        digest = hashlib.sha256()
        features = self.item_features
        arrays = [self.user_ids, self.item_ids, features.indptr, features.indices, features.data]
        for name in splits:
            split = self.splits[name]
            arrays += split.columns()
        for array in arrays:
            feed(digest, [array], array.dtype, len(array))
        digest.update(json.dumps(self.item_feature_entries, sort_keys=True).encode())
        if self.people is not None:
            self.people.feed(digest)
        if self.weights is not None:
            for array in (self.weights.indptr, self.weights.indices, self.weights.data):
                digest.update(array.tobytes())
        return digest.hexdigest()


def feed(digest: "hashlib._Hash", parts: Iterable[npt.NDArray[Any]], dtype: np.dtype[Any], length: int) -> None:
    """Update a digest with an array (length,) that comes in parts."""
    digest.update(f"{dtype.str}{(length,)}".encode())
    for part in parts:
        digest.update(np.ascontiguousarray(part, dtype=dtype).tobytes())


def as_ids(column: "pd.Series[Any]") -> npt.NDArray[Any]:
    """Convert external ids to the form of an artifact: int64 or fixed-width text."""
    return (
        column.to_numpy(dtype=np.int64) if pd.api.types.is_integer_dtype(column) else column.to_numpy().astype(np.str_)
    )


class Part(NamedTuple):
    """Some users of data that is divided: the name of their files in the folders of users and splits, the first one."""

    file: str
    first_user: int


def load_dataset(prepared: Path, splits: Sequence[str] = SPLITS, part: Part | None = None) -> Dataset:
    """Read data/prepared, with only the named splits, and of a part only its users, numbered from 0.

    Raises DataError where a file is missing or damaged.
    """
    remedy = "run: dvc repro --force prepare"

    described = read_json(prepared / COLUMNS_FILE, remedy)
    words = read_words(prepared, remedy)
    columns = tuple(Column(**column, words=words.get(column["name"])) for column in described["columns"])
    more = {"items": [column.name for column in columns]}

    def read(name: str) -> pd.DataFrame:
        path = prepared / f"{name}.parquet"
        if part is not None and name in ("users", *SPLITS):
            path /= part.file
        return read_parquet(path, remedy, _COLUMNS[name] + more.get(name, []))

    frames = {name: read(name) for name in _COLUMNS if name in splits or name not in SPLITS}
    first_user = 0 if part is None else part.first_user
    entries = described["item_features"]
    shape = (len(frames["items"]), len(entries))
    return Dataset(
        user_ids=as_ids(frames["users"][USER_ID]),
        catalogue=frames["items"],
        columns=columns,
        item_features=read_matrix(prepared / FEATURES_FILE, ITEM, shape, remedy),
        item_feature_entries=entries,
        splits={name: _interactions(frames[name], first_user) for name in splits},
        people=read_people(prepared, len(frames["users"]), remedy),
        weights=_weights(prepared / WEIGHTS_FILE, (len(frames["users"]), len(frames["items"])), remedy),
    )


def _weights(path: Path, shape: tuple[int, int], remedy: str) -> sparse.csr_matrix | None:
    if not path.exists():
        return None
    rows = read_parquet(path, remedy, [USER, ITEM, WEIGHT])
    return sparse.csr_matrix((rows[WEIGHT].to_numpy(np.float32), (rows[USER], rows[ITEM])), shape=shape)


def _interactions(frame: pd.DataFrame, first_user: int) -> Interactions:
    stars = frame[RATING].to_numpy(dtype=np.float32)
    times = frame[TIMESTAMP].to_numpy(dtype=np.int64)
    users = frame[USER].to_numpy() - np.int32(first_user)
    return Interactions(users, frame[ITEM].to_numpy(), frame[POSITIVE].to_numpy(), stars, times)
