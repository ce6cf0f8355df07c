"""Truncated singular value decomposition of the positives, by scikit-learn."""

from typing import Annotated

import numpy as np
from pydantic import Field
from sklearn.decomposition import TruncatedSVD

from training.models.base import Factors, TrainingData, Watch
from training.models.search import Between
from training.params.section import Section


class SklearnSVD(Section):
    """Parameters of Cremonesi, Koren and Turrin's PureSVD (2010), computed as Halko et al. (2011) do."""

    embedding_size: Annotated[int, Field(ge=1), Between(8, 256, log=True)]
    iterations: Annotated[int, Field(ge=1)]

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Decompose; a user's vector is the sum of the vectors of the liked items."""
        model = TruncatedSVD(
            # There are no more singular values than items.
            n_components=min(self.embedding_size, data.positives.shape[1]),
            n_iter=self.iterations,
            random_state=int(rng.integers(2**31)),
        )
        return Factors.learned(data, model.fit_transform(data.positives), model.components_.T)
