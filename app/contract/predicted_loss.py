"""How good a model itself thinks that a list is, beside the list that it would have made."""

import numpy as np

from app.contract.artifact import Float32Array
from app.contract.recommender import Recommender, Rows


def kept_share(recommender: Recommender, vector: Float32Array, rows: Rows, best: Rows) -> float | None:
    """Σ g / log₂(1 + rank) of a list, as a share of that of the best one; None for somebody of whom nothing is known.

    g is how far an item's score is above the mean of all items: a random list has 0 on average.
    """
    if not vector.any():
        return None
    artifact = recommender.artifact
    mean = float(artifact.item_embeddings.mean(axis=0) @ vector + artifact.item_biases.mean())
    got, most = (_discounted(recommender, vector, each, mean) for each in (rows, best))
    return None if most <= 0 else max(0.0, min(1.0, got / most))


def _discounted(recommender: Recommender, vector: Float32Array, rows: Rows, mean: float) -> float:
    gains = recommender.exact_scores(vector[None], rows[None])[0] - mean
    return float((gains / np.log2(2 + np.arange(len(rows)))).sum())
