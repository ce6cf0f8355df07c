"""Truncated singular value decomposition of the positives, by scikit-learn."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from sklearn.decomposition import TruncatedSVD

from app.contract.encoder import Encoder
from training.models.base import Factors, TrainingData, Watch
from training.models.histories import RecencyPower, with_encoded_users
from training.models.search import Between
from training.params.section import Section


class SklearnSVD(Section):
    """Parameters of Cremonesi, Koren and Turrin's PureSVD (2010), computed as Halko et al. (2011) do."""

    embedding_size: Annotated[int, Field(ge=1), Between(8, 256, log=True)]
    iterations: Annotated[int, Field(ge=1)]
    recency_power: RecencyPower = 0.0  # recipes of older versions lack it

    weighs: ClassVar[bool] = True

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Decompose; a user's vector is the sum of the vectors of the liked items, over the root of their number."""
        model = TruncatedSVD(
            # There are no more singular values than items.
            n_components=min(self.embedding_size, data.positives.shape[1]),
            n_iter=self.iterations,
            random_state=int(rng.integers(2**31)),
        )
        items = model.fit(data.positives).components_.T.astype(np.float32)
        encoder = Encoder(items, np.zeros(items.shape[1], dtype=np.float32))
        return self.with_recency(data, Factors.learned(data, encoder.intercept, items, encoder=encoder))

    def with_recency(self, data: TrainingData, factors: Factors) -> Factors:
        """Return the factors with users of this family's recency_power."""
        return with_encoded_users(data, factors, self.recency_power)
