"""The baseline: the most liked items, the same for every user."""

from typing import ClassVar

import numpy as np

from training.models.base import Factors, TrainingData, Watch
from training.params.section import Section


class Popularity(Section):
    """Ranks items by their number of positive interactions.

    It learns no user vector; `Recommender` then ranks by popularity.
    """

    weighs: ClassVar[bool] = True

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Count the positives."""
        n_users, n_items = data.positives.shape
        counts = np.asarray(data.positives.sum(axis=0), dtype=np.float32).ravel()
        return Factors(
            user_embeddings=np.zeros((n_users, 1), dtype=np.float32),
            item_embeddings=np.zeros((n_items, 1), dtype=np.float32),
            user_biases=np.zeros(n_users, dtype=np.float32),
            item_biases=counts,
        )
