"""The fold-in encoder: it makes a user's vector of what the user likes, in training and in the service alike."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import Float32Array

History = npt.NDArray[np.integer]  # rows of items that somebody likes, from the oldest to the newest


class Encoder(NamedTuple):
    """The vector of a history is Σ age^-recency · weights[item] / √(Σ age^(-2 · recency)) + intercept.

    The newest item has the age 1, the one before 2; items whose weights are all zero don't count. `weights`: float32
    (n_items, dim). `intercept`: float32 (dim,). `recency`: None where nobody has chosen it yet, which is 0.
    """

    weights: Float32Array
    intercept: Float32Array
    recency: float | None = None

    def encoded(self, history: History) -> tuple[Float32Array, int]:
        """The vector, float32 (dim,), and the number of items that count; all zero where none does."""
        rows = self.weights[history]
        known = rows.any(axis=1)
        if not known.all():
            rows = rows[known]
        if not len(rows):
            return np.zeros_like(self.intercept), 0
        vector: Float32Array = age_weights(len(rows), self.recency or 0.0) @ rows
        vector += self.intercept
        return vector, len(rows)

    def count(self, history: History) -> int:
        """The number of items that count."""
        return int(np.count_nonzero(self.weights[history].any(axis=1)))


def age_weights(n: int, power: float) -> Float32Array:
    """The weights of n items, from the oldest to the newest, age^-power: float32 (n,), with squares that sum to 1."""
    weights = np.arange(n, 0, -1.0) ** -power
    scaled: Float32Array = (weights / np.sqrt((weights**2).sum())).astype(np.float32)
    return scaled
