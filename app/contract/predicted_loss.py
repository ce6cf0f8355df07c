"""How good a model itself thinks that lists are, beside those that it would have made."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.contract.artifact_format import Float32Array
from app.contract.item_matrix import Rows
from app.contract.recommender import Recommender


@dataclass(frozen=True)
class PredictedLoss:
    """What lists keep of NDCG, if a model is right about what people like."""

    recommender: Recommender

    @cached_property
    def _mean(self) -> tuple[Float32Array, float]:
        artifact = self.recommender.artifact
        return artifact.item_embeddings.mean(axis=0), float(artifact.item_biases.mean())

    def kept(self, vector: Float32Array, rows: Rows, best: Rows) -> float | None:
        """Σ g / log₂(1 + rank) of a list, as a share of that of the best one; None where nothing is known of somebody.

        g is how far an item's score is above the mean of all items: a random list has 0 on average.
        """
        if not vector.any():
            return None
        got, most = (self._discounted(vector, each) for each in (rows, best))
        return None if most <= 0 else max(0.0, min(1.0, got / most))

    def _discounted(self, vector: Float32Array, rows: Rows) -> float:
        mean, bias = self._mean
        gains = self.recommender.exact_scores(vector[None], rows[None])[0] - float(mean @ vector) - bias
        return float((gains / np.log2(2 + np.arange(len(rows)))).sum())
