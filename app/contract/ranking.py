"""Rankings, and the exact scores that decide them."""

from dataclasses import dataclass

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array, Float64Array
from app.contract.item_matrix import Rows

NO_ITEM = -1
NO_ROWS: Rows = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Ranking:
    """Items, best first: rows of the artifact, int64 (n_users, k), and scores, float64 (n_users, k).

    k is what was asked for, or the number of items if that is smaller. Where a user has fewer candidates
    the rest is NO_ITEM with the score -inf.
    """

    items: Rows
    scores: Float64Array


class ExactScores:
    """Scores of an artifact's items in float64; those of a vector that is all zero are their popularity."""

    def __init__(self, artifact: Artifact, popularity: Float32Array) -> None:
        """`popularity` is float32 (n_items,)."""
        self._artifact, self._popularity = artifact, popularity

    def of(self, vectors: Float32Array, items: Rows) -> Float64Array:
        """Scores of some items for each vector, float32 (n, dim): float64, of the shape of `items` (n, m)."""
        artifact = self._artifact
        # Each product is summed by itself, so the same whatever else is in the batch, which a matrix product isn't.
        embeddings = artifact.item_embeddings[items].astype(np.float64, order="C")
        scores: Float64Array = np.vecdot(embeddings, vectors.astype(np.float64)[:, None, :])
        scores += artifact.item_biases.take(items)
        learned = vectors.any(axis=1)
        if not learned.all():
            scores[~learned] = self._popularity[items[~learned]]
        return scores

    def best(self, vectors: Float32Array, rows: Rows, k: int) -> Ranking:
        """The k best of some rows for each vector; `rows`, int64 (n, m), are sorted."""
        exact = self.of(vectors, rows)
        # A stable sort leaves ties in the order of rows.
        order = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        return Ranking(np.take_along_axis(rows, order, axis=1), np.take_along_axis(exact, order, axis=1))
