"""The baseline: the most liked items, the same for every user."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from training.models.aging import aged_popularity
from training.models.base import Factors, TrainingData, ValidatedFit, Watch
from training.models.search import Between
from training.models.validated_fit import Measure
from training.params.section import Section

HALF_LIVES = (0.0, 0.01, 0.03, 0.1, 0.3)  # that validation tries


class Popularity(Section):
    """Ranks items by their number of positive interactions, of which older ones count less.

    A positive counts half as much for each `half_life`, a share of the data's span, that it is older than the newest;
    0: all count alike; None: validation chooses. It learns no user vector; `Recommender` then ranks by popularity.
    """

    weighs: ClassVar[bool] = True
    half_life: Annotated[float | None, Field(ge=0), Between(0.0, 1.0)] = 0.0  # recipes of older versions lack it

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Count the positives."""
        n_users, n_items = data.positives.shape
        share = self.half_life or 0.0
        counts, _ = aged_popularity(data, share) or (np.asarray(data.positives.sum(axis=0), np.float32).ravel(), None)
        return Factors(
            user_embeddings=np.zeros((n_users, 1), dtype=np.float32),
            item_embeddings=np.zeros((n_items, 1), dtype=np.float32),
            user_biases=np.zeros(n_users, dtype=np.float32),
            item_biases=counts,
            half_life=share,
        )

    def fit_validated(
        self, data: TrainingData, rng: np.random.Generator, measure: Measure, judge: Measure
    ) -> ValidatedFit:
        """Count with the half-life that ranks best."""
        open_to = HALF_LIVES if data.times is not None else HALF_LIVES[:1]
        fits = []
        for share in open_to if self.half_life is None else (self.half_life,):
            option = self.model_copy(update={"half_life": share})
            factors = option.fit(data, rng)
            metric = judge(factors)
            fits.append(ValidatedFit(option, factors, [metric], metric))
        return max(fits, key=lambda fit: fit.metric)
