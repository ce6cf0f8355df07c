"""Non-negative matrix factorisation of the positives, by scikit-learn."""

import warnings
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from training.models.base import Factors, TrainingData, Watch
from training.models.search import Between
from training.params.section import Section


class SklearnNMF(Section):
    """Parameters of Lee and Seung's factorisation (1999), by coordinate descent: Cichocki and Phan (2009).

    Each number of an embedding is the amount of one theme. `regularization` is the penalty on squares, per sample as
    the library defines it.
    """

    embedding_size: Annotated[int, Field(ge=1), Between(8, 128, log=True)]
    regularization: Annotated[float, Field(ge=0), Between(0.0, 1e-3)]
    iterations: Annotated[int, Field(ge=1)]

    weighs: ClassVar[bool] = True

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Factorise in at most `iterations` steps."""
        model = NMF(
            n_components=min(self.embedding_size, *data.positives.shape),
            init="nndsvda",
            alpha_W=self.regularization,
            max_iter=self.iterations,
            random_state=int(rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            # `iterations` may be set so low on purpose.
            warnings.simplefilter("ignore", ConvergenceWarning)
            users = model.fit_transform(data.positives)
        return Factors.learned(data, users, model.components_.T)
