"""Histories in which what was liked lately weighs more."""

from dataclasses import replace
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from app.contract.artifact import Float32Array
from training.models.base import Factors, TrainingData
from training.models.search import Between

RecencyPower = Annotated[float | None, Field(ge=0), Between(0.0, 1.0)]
"""How much more a user's newest positives weigh; None: validation chooses, and a fit without it takes 0."""

Float64Array = npt.NDArray[np.float64]


def weighted_by_age(data: TrainingData, power: float | None) -> sparse.csr_matrix:
    """Weight each positive by age^-power: float32 CSR like `data.positives`, which it is without power or times.

    Age 1 is a user's newest positive, 2 the one before; positives of the same time have the mean of their ages. A
    user's weights are scaled so that the sum of their squares is their number, as it is for equal weights.
    """
    positives = data.positives
    if not power or data.times is None or not positives.nnz:
        return positives
    users = np.repeat(np.arange(positives.shape[0]), np.diff(positives.indptr))
    weights = _ages(users, positives.indptr, data.times) ** -power
    means = np.bincount(users, weights**2) / np.maximum(np.bincount(users), 1)
    weights /= np.sqrt(means[users])
    return sparse.csr_matrix((weights.astype(np.float32), positives.indices, positives.indptr), shape=positives.shape)


def encoded(data: TrainingData, factors: Factors, power: float | None) -> Factors:
    """Return the factors with users made by their encoder of histories weighted by age; zeros without a history."""
    if factors.encoder is None:
        raise ValueError("these factors have no encoder")
    histories = over_root_of_size(weighted_by_age(data, power))
    users: Float32Array = histories @ factors.encoder.weights + factors.encoder.intercept
    users[np.diff(histories.indptr) == 0] = 0
    return replace(factors, user_embeddings=users)


def over_root_of_size(histories: sparse.csr_matrix) -> sparse.csr_matrix:
    """Divide each row by the root of its number of entries, the form that the fold-in encoder sums: float32 CSR."""
    sizes = np.maximum(np.diff(histories.indptr), 1).astype(np.float32)
    return (sparse.diags(1 / np.sqrt(sizes)) @ histories).tocsr()


def _ages(users: npt.NDArray[np.int64], indptr: npt.NDArray[np.integer], times: Float64Array) -> Float64Array:
    order = np.lexsort((-times, users))
    places = np.arange(1, len(times) + 1) - indptr[users]
    begins = (places == 1) | (np.diff(times[order], prepend=np.nan) != 0)
    ties = np.cumsum(begins) - 1
    ages = np.empty(len(times))
    ages[order] = (np.bincount(ties, places) / np.bincount(ties))[ties]
    return ages
