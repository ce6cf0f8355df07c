"""Users' histories in the order of time, and how much more the newest positives weigh."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse

from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder, age_weights
from training.models.base import Factors, TrainingData
from training.models.search import Between

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)  # that validation tries
LEAST_GAIN = 1.01  # times the metric of 0: less is chance, and loses for people with few likes
RecencyPower = Annotated[float | None, Field(ge=0), Between(0.0, 1.0)]
"""How much more a user's newest positives weigh; None: validation chooses, and a fit without it takes 0."""


def tried(data: TrainingData) -> tuple[float, ...]:
    """The powers among which validation may choose: 0 where the data has no times."""
    return POWERS if data.times is not None else POWERS[:1]


def best_or_zero(metrics: Mapping[float, float]) -> float:
    """Return the value with the best metric, or 0 where that is hardly better."""
    return best_or(0.0, metrics)


def best_or(usual: float, metrics: Mapping[float, float]) -> float:
    """Return the value with the best metric, or the usual one where that is hardly better."""
    best = max(metrics, key=lambda value: metrics[value])
    return usual if metrics[best] < LEAST_GAIN * metrics.get(usual, 0.0) else best


def in_order(matrix: sparse.csr_matrix, times: npt.NDArray[np.float64] | None) -> npt.NDArray[np.int64]:
    """The places of a CSR's entries, row by row, from the oldest to the newest; those of one time by column."""
    if times is None:
        return np.arange(matrix.nnz)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.lexsort((times, rows))


def first_of(data: TrainingData, k: int, places: npt.NDArray[np.int64] | None = None) -> sparse.csr_matrix:
    """Keep the first k positives of each row, in the order of time: CSR (n_users, n_items).

    First is who comes first in `places`, those of the entries, row by row; the oldest without.
    """
    positives, order = data.positives, in_order(data.positives, data.times)
    before = np.arange(positives.nnz) - np.repeat(positives.indptr[:-1], np.diff(positives.indptr))
    is_kept = np.zeros(positives.nnz, dtype=bool)
    is_kept[(order if places is None else places)[before < k]] = True
    chosen: npt.NDArray[np.int64] = order[is_kept[order]]
    starts = np.append(0, np.cumsum(is_kept))[positives.indptr]
    return sparse.csr_matrix((positives.data[chosen], positives.indices[chosen], starts), shape=positives.shape)


def encoded_histories(positives: sparse.csr_matrix, encoder: Encoder, order: npt.NDArray[np.int64]) -> Float32Array:
    """The vectors that the service would make of the rows of positives, in this order: float32 (n_users, dim)."""
    histories, starts = positives.indices[order], positives.indptr.tolist()
    vectors = np.zeros((positives.shape[0], len(encoder.intercept)), dtype=np.float32)
    for user, (start, end) in enumerate(pairwise(starts)):
        vectors[user], _ = encoder.encoded(histories[start:end])
    return vectors


def with_encoded_users(data: TrainingData, factors: Factors, power: float | None) -> Factors:
    """Return the factors with users made by their encoder, whose recency is `power` where the data has times."""
    if factors.encoder is None:
        raise ValueError("these factors have no encoder")
    encoder = factors.encoder._replace(recency=float(power or 0.0) if data.times is not None else 0.0)
    users = encoded_histories(data.positives, encoder, in_order(data.positives, data.times))
    return replace(factors, user_embeddings=users, encoder=encoder)


def weighted_by_age(data: TrainingData, power: float | None) -> sparse.csr_matrix:
    """Multiply each positive by age^-power: float32 CSR like `data.positives`, which it is without power or times.

    The sum of the squares of a user's factors is their number, as it is for equal weights.
    """
    positives = data.positives
    if not power or data.times is None or not positives.nnz:
        return positives
    parts = [age_weights(n, power) * np.float32(np.sqrt(n)) for n in np.diff(positives.indptr).tolist()]
    weights = np.empty(positives.nnz, dtype=np.float32)
    weights[in_order(positives, data.times)] = np.concatenate(parts)
    return sparse.csr_matrix((weights * positives.data, positives.indices, positives.indptr), shape=positives.shape)
