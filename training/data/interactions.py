"""The interactions of the prepared data, by internal id."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse


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
