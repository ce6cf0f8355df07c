"""How far the scores of a vector are spread over all items, without scoring them."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array

BLOCK = 4096  # items in float64 at once


class ScoreSpread:
    """The standard deviation of u · x + b over all items (x, b): √(wᵀ C w), with w = (u, 1) and C their covariance.

    C is computed when it is first needed, which takes as long as ranking for a hundred users.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact

    @cached_property
    def _popularity(self) -> float:
        return float(self._artifact.popularity_scores.astype(np.float64).std())

    @cached_property
    def _covariance(self) -> npt.NDArray[np.float64]:
        artifact = self._artifact
        n, dim = artifact.item_embeddings.shape
        mean = np.append(
            artifact.item_embeddings.mean(axis=0, dtype=np.float64), artifact.item_biases.mean(dtype=np.float64)
        )
        total: npt.NDArray[np.float64] = np.zeros((dim + 1, dim + 1))
        for start in range(0, n, BLOCK):
            rows = slice(start, start + BLOCK)
            items = np.column_stack([artifact.item_embeddings[rows], artifact.item_biases[rows]]) - mean
            total += items.T @ items
        total /= n
        return total

    def of(self, vector: Float32Array) -> float:
        """Of a vector, float32 (dim,); that of popularity if it is all zero."""
        if not vector.any():
            return self._popularity
        weights = np.append(vector, 1).astype(np.float64)
        # Summed without a matrix product, whose last bits depend on the number of threads.
        return float(np.sqrt(max(0.0, np.einsum("i,ij,j->", weights, self._covariance, weights))))
