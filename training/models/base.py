"""What a model family is: it turns interactions into embeddings and biases."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact import Float32Array
from training.errors import TrainingError
from training.params.section import Section


@dataclass(frozen=True)
class TrainingData:
    """What a family learns from.

    `positives`: float32 CSR (n_users, n_items), 1 where a user likes an item. `item_features`: float32 CSR
    (n_items, n_features) of ones; (n_items, 0) without features. `threads`: how many a fit may use.
    `stars`: float32 CSR (n_users, n_items), every rating, liked or not; NaN where the data has no stars.
    """

    positives: sparse.csr_matrix
    item_features: sparse.csr_matrix
    threads: int
    stars: sparse.csr_matrix


LARGEST = 1e12  # the most that an artifact may hold, MAX_MAGNITUDE of app/contract/artifact_format.py


@dataclass(frozen=True)
class Factors:
    """What a family has learned, float32: embeddings (n, dim) and biases (n,) of users and items.

    A user's ranking is that of user_embedding · item_embedding + item_bias. A user whose embedding is all
    zero is one the family knows nothing of.
    """

    user_embeddings: Float32Array
    item_embeddings: Float32Array
    user_biases: Float32Array
    item_biases: Float32Array

    @classmethod
    def learned(
        cls,
        data: TrainingData,
        users: npt.NDArray[np.floating[Any]],
        items: npt.NDArray[np.floating[Any]],
        item_biases: npt.NDArray[np.floating[Any]] | None = None,
    ) -> "Factors":
        """A copy of embeddings that were learned from positives alone: zero for whom or what has none.

        There a library leaves whatever the vector was born with, which means nothing.
        """
        n_users, n_items = data.positives.shape
        liking, liked = np.diff(data.positives.indptr) > 0, np.bincount(data.positives.indices, minlength=n_items) > 0
        biases = np.zeros(n_items) if item_biases is None else item_biases
        return cls(
            user_embeddings=np.where(liking[:, None], users, 0).astype(np.float32),
            item_embeddings=np.where(liked[:, None], items, 0).astype(np.float32),
            user_biases=np.zeros(n_users, dtype=np.float32),
            item_biases=np.where(liked, biases, 0).astype(np.float32),
        )

    def is_usable(self) -> bool:
        """Whether no number is NaN, infinite or so large that a score isn't finite."""
        arrays = (self.user_embeddings, self.item_embeddings, self.user_biases, self.item_biases)
        return all(bool((np.abs(array) <= LARGEST).all()) for array in arrays)


def checked(name: str, factors: Factors) -> Factors:
    """The factors as they are; raises TrainingError where they can't be ranked by."""
    if not factors.is_usable():
        raise TrainingError(
            f"{name} learned NaN, infinite or huge numbers; lower its learning rate or regularisation in params.yaml"
        )
    return factors


Watch = Callable[[int, Callable[[], Factors]], bool]
"""Called after each epoch with its number and a way to get the factors so far; True ends the fit."""


class Family(Protocol):
    """A model family with its parameters: a frozen `Section`, so that they are checked and can be saved."""

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Learn from `data`; all randomness comes from `rng`.

        Raises TrainingError where the data or parameters make fitting impossible.
        """

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """The parameters as plain values, to be saved."""


class IterativeSection(Section):
    """Parameters of a family that learns in epochs, which early stopping may cut short."""

    epochs: int
    patience: int | None
