"""What is known of people beside their ratings, as files of the prepared data."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from app.contract.columns import Column
from app.contract.ids import as_number
from training.data.features import features_of, read_matrix, write_matrix
from training.errors import DataError
from training.files import read_json, read_parquet, write_json, write_parquet
from training.params.catalogue import Attributes

PEOPLE_FILE, ATTRIBUTES_FILE, FEATURES_FILE = "people.parquet", "attributes.json", "user_features.parquet"
USER_ID, USER = "user_id", "user"


@dataclass(frozen=True)
class People:
    """The attributes of people as models learn from them.

    `columns` are the attributes, without values. `features` is float32 CSR (n_users, n_features), of the users of the
    data set, and `entries` says of each feature what an artifact does. `new_ids` are people who have rated nothing,
    sorted, and `new_features` theirs.
    """

    columns: tuple[Column, ...]
    features: sparse.csr_matrix
    entries: Sequence[dict[str, Any]]
    new_ids: npt.NDArray[Any]
    new_features: sparse.csr_matrix

    def update_digest(self, digest: "hashlib._Hash") -> None:
        """Update a digest with all of it."""
        for matrix in (self.features, self.new_features):
            for array in (matrix.indptr, matrix.indices, matrix.data):
                digest.update(np.ascontiguousarray(array).tobytes())
        ids = self.new_ids.astype(str).tolist()
        digest.update(json.dumps([ids, *(column.described for column in self.columns), *self.entries]).encode())


def write_people(
    folder: Path, people: pd.DataFrame, users: "pd.Series[Any]", forgotten: npt.NDArray[Any], columns: Attributes,
    seed: int,
) -> None:  # fmt: skip
    """Write the features of `users`, the ids of those who have rated something, and of the others but the forgotten.

    Raises DataError where the ratings have numbers as ids, and a person has not.
    """
    of_person = people.drop(columns=USER_ID).set_index(pd.Index(_ids(people[USER_ID], users)))
    known = pd.Index(users)
    new = of_person.index.difference(known).difference(pd.Index(forgotten))
    everybody = of_person.reindex(known.append(new))
    matrix, entries, _ = features_of(everybody, columns, seed)
    write_matrix(folder / FEATURES_FILE, matrix, USER)
    write_parquet(folder / PEOPLE_FILE, pd.DataFrame({USER_ID: new}))
    described = [column.described(name).described for name, column in columns.items() if column.learn]
    write_json(folder / ATTRIBUTES_FILE, {"columns": described, "user_features": entries})


def _ids(texts: "pd.Series[Any]", users: "pd.Series[Any]") -> "pd.Series[Any]":
    """The ids of people in the type of those of users."""
    if users.dtype != np.int64:
        return texts
    numbers = texts.map(as_number).astype("Int64")
    if len(wrong := texts[numbers.isna()]):
        raise DataError(
            f"the file of people has the user_id {wrong.iloc[0]!r}, and those of the ratings are numbers: "
            "set prepare.text_user_ids to true in params.yaml, or remove this person"
        )
    return numbers.astype(np.int64)


def read_people(folder: Path, n_users: int, remedy: str) -> People | None:
    """Read what `write_people` wrote, None where it wrote nothing; raises DataError that ends with `remedy`."""
    if not (folder / ATTRIBUTES_FILE).exists():
        return None
    described, people = read_json(folder / ATTRIBUTES_FILE, remedy), read_parquet(folder / PEOPLE_FILE, remedy)
    entries = described["user_features"]
    matrix = read_matrix(folder / FEATURES_FILE, USER, (n_users + len(people), len(entries)), remedy)
    return People(
        columns=tuple(Column(**column) for column in described["columns"]),
        features=matrix[:n_users],
        entries=entries,
        new_ids=people[USER_ID].to_numpy(),
        new_features=matrix[n_users:],
    )
