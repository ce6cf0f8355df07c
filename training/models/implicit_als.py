"""Implicit ALS: matrix factorisation by weighted least squares over all items, positive or not."""

from typing import Annotated

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import Field
from threadpoolctl import threadpool_limits

from training.models.base import Factors, IterativeSection, TrainingData, Watch
from training.models.implicit_epochs import fit_epochs
from training.models.search import Between, OneOf


class ImplicitALS(IterativeSection):
    """Parameters of Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets (2008).

    `alpha` is the weight of a positive; everything else weighs 1. `regularization` is the penalty on an embedding's
    squared norm.
    """

    embedding_size: Annotated[int, Field(ge=1), OneOf((32, 64, 128))]
    alpha: Annotated[float, Field(gt=0), Between(0.5, 50.0, log=True)]
    regularization: Annotated[float, Field(ge=0), Between(0.1, 200.0, log=True)]
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] | None

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Solve for all users, then for all items, epoch by epoch.

        Raises TrainingError where the numbers don't stay finite.
        """
        with threadpool_limits(1, "blas"):  # the library has threads of its own, and warns of others
            model = AlternatingLeastSquares(
                factors=self.embedding_size,
                alpha=self.alpha,
                regularization=self.regularization,
                iterations=self.epochs,
                num_threads=data.threads,
                random_state=int(rng.integers(2**31)),
            )

            def factors() -> Factors:
                return Factors.learned(data, model.user_factors, model.item_factors)

            return fit_epochs("implicit_als", model, data, factors, watch)
