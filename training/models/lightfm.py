"""LightFM: matrix factorisation over item identities and features, fitted to rankings."""

from typing import Annotated, Literal

import lightfm
import numpy as np
from pydantic import Field
from scipy import sparse
from tqdm import tqdm

from training.errors import TrainingError
from training.models.base import Factors, IterativeSection, TrainingData, Watch


class LightFM(IterativeSection):
    """Parameters of Kula, Metadata Embeddings for User and Item Cold-start Recommendations (2015).

    An item's embedding is the sum of those of its features, of which its own identity is one.
    """

    loss: Literal["warp", "bpr", "logistic", "warp-kos"]
    embedding_size: Annotated[int, Field(ge=1)]
    learning_schedule: Literal["adagrad", "adadelta"]
    learning_rate: Annotated[float, Field(gt=0)]
    item_alpha: Annotated[float, Field(ge=0)]
    user_alpha: Annotated[float, Field(ge=0)]
    max_sampled: Annotated[int, Field(ge=1)]
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] | None
    item_features: bool

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Fit epoch by epoch, with a progress bar.

        Raises TrainingError where fitting diverges.
        """
        features = self._features(data)
        model = self._model(rng)
        interactions = data.positives.tocoo()
        for epoch in tqdm(range(1, self.epochs + 1), desc="lightfm", unit="epoch"):
            try:
                with np.errstate(all="ignore"):  # a fit that diverges is an error below, not a warning as well
                    model.fit_partial(interactions, item_features=features, num_threads=data.threads)
            except ValueError as error:
                remedy = f"lower models.lightfm.learning_rate, now {self.learning_rate:g}"
                raise TrainingError(f"lightfm failed in epoch {epoch}: {error}; {remedy}") from error
            if watch is not None and watch(epoch, lambda: _factors(model, features, data)):
                break
        return _factors(model, features, data)

    def _features(self, data: TrainingData) -> sparse.csr_matrix:
        identity = sparse.identity(data.positives.shape[1], dtype=np.float32, format="csr")
        return sparse.hstack([identity, data.item_features], format="csr") if self.item_features else identity

    def _model(self, rng: np.random.Generator) -> lightfm.LightFM:
        return lightfm.LightFM(
            loss=self.loss,
            no_components=self.embedding_size,
            learning_schedule=self.learning_schedule,
            learning_rate=self.learning_rate,
            item_alpha=self.item_alpha,
            user_alpha=self.user_alpha,
            max_sampled=self.max_sampled,
            random_state=int(rng.integers(2**31)),
        )


def _factors(model: lightfm.LightFM, features: sparse.csr_matrix, data: TrainingData) -> Factors:
    user_biases, user_embeddings = model.get_user_representations()
    item_biases, item_embeddings = model.get_item_representations(features)
    # A user without a positive still has the vector it was born with, which means nothing.
    unknown = np.diff(data.positives.indptr) == 0
    user_embeddings = np.where(unknown[:, None], np.float32(0), user_embeddings)
    return Factors(user_embeddings, item_embeddings, user_biases.copy(), item_biases)
