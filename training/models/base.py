"""The interface of a model family: it turns interactions into embeddings and biases."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder
from training.errors import TrainingError
from training.params.section import Section


@dataclass(frozen=True)
class TrainingData:
    """The data that a family learns from.

    `positives`: float32 CSR (n_users, n_items), 1 where a user likes an item, less where that counts less; only to a
    family that `weighs`. `item_features`: float32 CSR
    (n_items, n_features) of ones; (n_items, 0) without features. `threads`: the number that a fit may use.
    `stars`: float32 CSR (n_users, n_items), every rating, liked or not; NaN where the data has no stars.
    `times`: float64 (n_positives,), seconds since 1970, of each positive in the order of the CSR; None without times.
    `user_features`: float32 CSR (n_users, n_features), None where nothing is known of people. `fits`: where a blend
    finds what another candidate has learned of the same data.
    """

    positives: sparse.csr_matrix
    item_features: sparse.csr_matrix
    threads: int
    stars: sparse.csr_matrix
    times: npt.NDArray[np.float64] | None = None
    user_features: sparse.csr_matrix | None = None
    fits: "Fits" = field(default_factory=lambda: Fits())


HALF_LIFE = 0.1  # share of the data's span after which a positive counts half where nothing is known of somebody
LARGEST = 1e12  # the largest number that an artifact may hold: MAX_MAGNITUDE of app/contract/artifact_checks.py


@dataclass(frozen=True)
class Factors:
    """The result of a fit, float32: embeddings (n, dim) and biases (n,) of users and items.

    A user's items are ranked by user_embedding · item_embedding + item_bias. A user with an embedding of zeros is one
    of whom the family knows nothing. `encoder` is the fold-in encoder of a family that makes users' vectors by it; for
    None, a regression finds one, without `intercept` where users' vectors shrink to zero with their histories.
    `adds_features` tells whether what features say is added to items of which little is known: not where items'
    vectors were learned from features. `half_life` is the share of the data's span after which a positive counts half
    for popularity; 0: all count alike.
    """

    user_embeddings: Float32Array
    item_embeddings: Float32Array
    user_biases: Float32Array
    item_biases: Float32Array
    encoder: Encoder | None = None
    intercept: bool = True
    adds_features: bool = True
    half_life: float = HALF_LIFE

    @classmethod
    def learned(
        cls,
        data: TrainingData,
        users: npt.NDArray[np.floating[Any]],
        items: npt.NDArray[np.floating[Any]],
        item_biases: npt.NDArray[np.floating[Any]] | None = None,
        encoder: Encoder | None = None,
        intercept: bool = True,
    ) -> "Factors":
        """Copy embeddings that were learned from positives alone, with zeros for users and items that have none.

        A library leaves the random initial vector there, which means nothing.
        """
        n_users, n_items = data.positives.shape
        liking, liked = np.diff(data.positives.indptr) > 0, np.bincount(data.positives.indices, minlength=n_items) > 0
        biases = np.zeros(n_items) if item_biases is None else item_biases
        return cls(
            user_embeddings=np.where(liking[:, None], users, 0).astype(np.float32),
            item_embeddings=np.where(liked[:, None], items, 0).astype(np.float32),
            user_biases=np.zeros(n_users, dtype=np.float32),
            item_biases=np.where(liked, biases, 0).astype(np.float32),
            encoder=encoder,
            intercept=intercept,
        )

    def is_usable(self) -> bool:
        """Tell whether all numbers are finite and small enough for finite scores."""
        arrays = [self.user_embeddings, self.item_embeddings, self.user_biases, self.item_biases]
        arrays += [] if self.encoder is None else [self.encoder.weights, self.encoder.intercept]
        return all(bool((np.abs(array) <= LARGEST).all()) for array in arrays)


def checked(name: str, factors: Factors) -> Factors:
    """Return the factors; raise TrainingError where they aren't usable."""
    if not factors.is_usable():
        raise TrainingError(
            f"{name} learned NaN, infinite or huge numbers; lower its learning rate or regularisation in params.yaml"
        )
    return factors


Watch = Callable[[int, Callable[[], Factors]], bool]
"""A fit calls this after each epoch, with its number and a function for the factors so far; True ends the fit."""


class Family(Protocol):
    """A model family with its parameters: a frozen `Section`, so that they are checked and can be saved."""

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Learn from `data`; all randomness comes from `rng`.

        Raises TrainingError where the data or parameters make fitting impossible.
        """

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """Return the parameters as plain values, to be saved."""


@dataclass(frozen=True)
class ValidatedFit:
    """A family with nothing left open, its factors, their metric, and the curve of the metric after each epoch."""

    family: Family
    factors: Factors
    curve: list[float]
    metric: float


@runtime_checkable
class Weighs(Protocol):
    """A family that can learn less from some positives than from others."""

    @property
    def weighs(self) -> bool:
        """Whether it can with these parameters."""


class Fits:
    """Earlier fits of the same data; this one has none."""

    def validated(self, name: str, family: Family, fit: Callable[[], ValidatedFit]) -> ValidatedFit:
        """Return the fit with validation of the family `name` as it was made before, else make it."""
        return fit()

    def whole(self, name: str, family: Family, fit: Callable[[], Factors]) -> Factors:
        """Return the fit without validation as it was made before, else make it."""
        return fit()


class IterativeSection(Section):
    """Parameters of a family that learns in epochs, which early stopping may cut short."""

    epochs: int
    patience: int | None
