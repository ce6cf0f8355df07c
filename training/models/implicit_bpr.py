"""Implicit BPR: matrix factorisation that learns to rank a positive above a random item."""

from contextlib import suppress
from typing import Annotated

import numpy as np
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.recommender_base import ModelFitError
from pydantic import Field
from threadpoolctl import threadpool_limits

from training.errors import TrainingError
from training.models.base import Factors, IterativeSection, TrainingData, Watch
from training.models.search import Between, OneOf
from training.progress import counter


class _WatchedEnoughError(Exception):
    """Ends a fit early; the library offers no other way."""


class ImplicitBPR(IterativeSection):
    """Parameters of Rendle et al., BPR: Bayesian Personalized Ranking from Implicit Feedback (2009)."""

    embedding_size: Annotated[int, Field(ge=1), OneOf((32, 64, 128))]
    learning_rate: Annotated[float, Field(gt=0), Between(0.005, 0.2, log=True)]
    regularization: Annotated[float, Field(ge=0), Between(1e-4, 0.1, log=True)]
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] | None

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Fit epoch by epoch, each of as many samples as there are positives.

        Raises TrainingError where the numbers don't stay finite.
        """
        with (
            threadpool_limits(1, "blas"),  # the library has threads of its own, and warns of others
            counter("implicit_bpr", "epoch", self.epochs) as epochs,
            suppress(_WatchedEnoughError),
        ):
            model = BayesianPersonalizedRanking(
                factors=self.embedding_size,
                learning_rate=self.learning_rate,
                regularization=self.regularization,
                iterations=self.epochs,
                num_threads=data.threads,
                random_state=int(rng.integers(2**31)),
            )

            def after_epoch(iteration: int, *_: object) -> None:
                epochs.update()
                if watch is not None and watch(iteration + 1, lambda: _factors(model, data)):
                    raise _WatchedEnoughError

            try:
                model.fit(data.positives, show_progress=False, callback=after_epoch)
            except ModelFitError as error:
                remedy = f"raise models.implicit_bpr.regularization, now {self.regularization:g}"
                raise TrainingError(f"implicit_bpr learned NaN or infinite numbers; {remedy}") from error
        return _factors(model, data)


def _factors(model: BayesianPersonalizedRanking, data: TrainingData) -> Factors:
    """Those of the library, whose last column is 1 for a user, so that an item's is its bias."""
    return Factors.learned(data, model.user_factors[:, :-1], model.item_factors[:, :-1], model.item_factors[:, -1])
