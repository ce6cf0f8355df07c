"""The prepared data: interactions by internal id, the ids, the catalogue and the item features.

Its positives are what the API and the metrics call interactions.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
from training.data.interactions import Interactions
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
            hash_array(digest, [array], array.dtype, len(array))
        digest.update(json.dumps(self.item_feature_entries, sort_keys=True).encode())
        if self.people is not None:
            self.people.update_digest(digest)
        if self.weights is not None:
            for array in (self.weights.indptr, self.weights.indices, self.weights.data):
                digest.update(array.tobytes())
        return digest.hexdigest()


def hash_array(digest: "hashlib._Hash", parts: Iterable[npt.NDArray[Any]], dtype: np.dtype[Any], length: int) -> None:
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
