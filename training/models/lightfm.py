"""LightFM: matrix factorisation over item identities and features, by a ranking loss."""

from dataclasses import replace
from typing import Annotated, Literal

import lightfm
import numpy as np
from pydantic import Field
from scipy import sparse

from app.contract.artifact_format import Float32Array
from training.errors import TrainingError
from training.models.base import Factors, IterativeSection, TrainingData, Watch
from training.models.encoder import encoder_of
from training.models.histories import RecencyPower, with_encoded_users
from training.models.search import Between, OneOf
from training.params.section import Section
from training.progress import progress

# The parameters that the library calls the same.
OF_LIBRARY = {"loss", "learning_schedule", "learning_rate", "item_alpha", "user_alpha", "max_sampled"}


class ALSStart(Section):
    """Parameters of the implicit ALS whose factors LightFM starts from, scaled to the mean length `norm`.

    Where one of the first two is None, it follows from the data, as in `implicit_als`.
    """

    alpha: Annotated[float | None, Field(gt=0)] = 5.0
    regularization: Annotated[float | None, Field(ge=0)] = 60.0
    epochs: Annotated[int, Field(ge=1)] = 15
    norm: Annotated[float, Field(gt=0)] = 1.0


class LightFM(IterativeSection):
    """Parameters of Kula, Metadata Embeddings for User and Item Cold-start Recommendations (2015).

    An item's embedding is the sum of the embeddings of its features; its identity is one of them. With `encode_users`,
    the vectors that were learned of users give way to those that the fold-in encoder makes of their histories, which
    are smoother, and in which newer positives may weigh more. Where it is None, validation chooses between the two; a
    fit without validation takes those that were learned. With `validate_size` validation may halve `embedding_size`.
    With `user_features` a user's embedding is the sum of those of the user's attributes; None is as in `encode_users`.
    """

    loss: Literal["warp", "bpr", "logistic", "warp-kos"]
    embedding_size: Annotated[int, Field(ge=1), OneOf((32, 64, 128))]
    learning_schedule: Literal["adagrad", "adadelta"]
    learning_rate: Annotated[float, Field(gt=0), Between(0.001, 0.2, log=True)]
    item_alpha: Annotated[float, Field(ge=0), Between(1e-6, 1e-3, log=True)]
    user_alpha: Annotated[float, Field(ge=0), Between(1e-6, 1e-3, log=True)]
    max_sampled: Annotated[int, Field(ge=1), Between(5, 50)]
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] | None
    item_features: bool
    # Recipes of older versions lack these.
    init: Literal["random", "als"] = "random"
    als: ALSStart = ALSStart()
    seeds: Annotated[int, Field(ge=1)] = 1
    encode_users: bool | None = False
    recency_power: RecencyPower = 0.0
    validate_size: bool = False
    user_features: bool | None = False

    @property
    def weighs(self) -> bool:
        """Whether the loss takes weights of positives."""
        return self.loss != "warp-kos"

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Fit epoch by epoch, with a progress bar; `seeds` is the number of models, side by side.

        Raises TrainingError where fitting diverges.
        """
        n_users, n_items = data.positives.shape
        features = _beside_identity(n_items, data.item_features if self.item_features else None)
        people = _beside_identity(n_users, data.user_features if self.user_features else None)
        shared = self.model_dump(include=OF_LIBRARY)
        models = [
            lightfm.LightFM(self.embedding_size, random_state=int(rng.integers(2**31)), **shared)
            for _ in range(self.seeds)
        ]
        interactions = data.positives.tocoo()
        weights = interactions if self.weighs else None
        if self.init == "als":
            for model in models:
                self._start(model, data, features, people, rng)

        def factors() -> Factors:
            return self.with_recency(data, _factors(models, features, people, data))

        for epoch in progress(range(1, self.epochs + 1), "lightfm", "epoch"):
            try:
                with np.errstate(all="ignore"):  # a fit that diverges is an error below, not a warning as well
                    for model in models:
                        model.fit_partial(interactions, people, features, weights, num_threads=data.threads)
            except ValueError as error:
                remedy = f"lower models.lightfm.learning_rate, now {self.learning_rate:g}"
                raise TrainingError(f"lightfm failed in epoch {epoch}: {error}; {remedy}") from error
            if watch is not None and watch(epoch, factors):
                break
        return factors()

    def with_recency(self, data: TrainingData, factors: Factors) -> Factors:
        """Return the factors with users of this family's recency_power, if they are encoded."""
        if not self.encode_users:
            return factors
        return with_encoded_users(
            data, replace(factors, encoder=encoder_of(factors, data.positives)), self.recency_power
        )

    def _start(
        self,
        model: lightfm.LightFM,
        data: TrainingData,
        features: sparse.csr_matrix,
        people: sparse.csr_matrix,
        rng: np.random.Generator,
    ) -> None:
        """Replace the random identity embeddings of users and items with positives by the factors of ALS."""
        from training.models.implicit_als import ImplicitALS  # loads its library only here

        als = self.als.model_dump(exclude={"norm"}) | {"embedding_size": self.embedding_size, "patience": None}
        start = ImplicitALS(**als).fit(data, rng)
        model.fit_partial(data.positives, people, features, epochs=0)
        for target, source in (
            (model.user_embeddings, start.user_embeddings),
            (model.item_embeddings, start.item_embeddings),
        ):
            lengths = np.linalg.norm(source, axis=1)
            known = np.flatnonzero(lengths)
            target[known] = source[known] * (self.als.norm / lengths[known].mean())


def _beside_identity(n: int, features: sparse.csr_matrix | None) -> sparse.csr_matrix:
    """A feature for each of n rows that it alone has, and then these."""
    identity = sparse.identity(n, dtype=np.float32, format="csr")
    return identity if features is None else sparse.hstack([identity, features], format="csr")


def _factors(
    models: list[lightfm.LightFM], features: sparse.csr_matrix, people: sparse.csr_matrix, data: TrainingData
) -> Factors:
    """Concatenate the representations: the score is the mean of the models' scores."""
    users = [model.get_user_representations(people) for model in models]
    items = [model.get_item_representations(features) for model in models]
    item_embeddings: Float32Array = np.hstack([embeddings for _, embeddings in items])
    user_embeddings = np.hstack([embeddings for _, embeddings in users])
    # A user without a positive still has the random initial vector, which means nothing.
    unknown = np.diff(data.positives.indptr) == 0
    return Factors(
        user_embeddings=np.where(unknown[:, None], np.float32(0), user_embeddings),
        item_embeddings=(item_embeddings / len(models)).astype(np.float32),
        user_biases=np.mean([biases for biases, _ in users], axis=0, dtype=np.float32),
        item_biases=np.mean([biases for biases, _ in items], axis=0, dtype=np.float32),
        adds_features=features.shape[0] == features.shape[1],
    )
