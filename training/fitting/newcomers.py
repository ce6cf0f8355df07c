"""Chooses on validation how much the mean user counts in the vector of somebody with few likes."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact import Float32Array
from training.data.people import People
from training.fitting.validation import Validation
from training.models.base import Encoder, Factors
from training.models.encoder import encoder_of
from training.models.feature_encoder import fit_user_encoder, vectors_of
from training.models.recency import over_root_of_size

WEIGHTS = (0.0, 0.5, 1.0, 2.0)
LIKES = (1, 3)  # of a newcomer


def newcomer_weight(validation: Validation, factors: Factors) -> float:
    """Return the weight that ranks best for users of whom a few likes are known, drawn at random from theirs.

    Somebody with k likes h gets k / (k + weight) · Enc(h) + weight / (k + weight) · what attributes say, or the mean
    user where none are known. 0 where nothing was learned of users.
    """
    if not factors.user_embeddings.any():
        return 0.0
    positives, rng = validation.knowledge.training_data.positives, np.random.default_rng(validation.seed)
    encoder, histories = encoder_of(factors, positives), [_few(positives, k, rng) for k in LIKES]
    starts = _starts(factors, validation.knowledge.people)

    def worth(weight: float) -> float:
        users = [newcomers(encoder, history, starts, weight) for history in histories]
        return float(np.mean([validation.measure(replace(factors, user_embeddings=vectors)) for vectors in users]))

    return max(WEIGHTS, key=worth)


def mean_user(factors: Factors) -> Float32Array:
    """The mean of the users of whom something was learned: float32 (dim,)."""
    mean: Float32Array = factors.user_embeddings[factors.user_embeddings.any(axis=1)].mean(axis=0, dtype=np.float32)
    return mean


def _starts(factors: Factors, people: People | None) -> Float32Array:
    """The vectors of people without a like: float32 (n_users, dim), or (dim,) where nothing is known of any."""
    mean = mean_user(factors)
    if people is None or not people.features.nnz:
        return mean
    made = vectors_of(people.features, fit_user_encoder(people.features, factors.user_embeddings))
    starts: Float32Array = np.where((np.diff(people.features.indptr) > 0)[:, None], made, mean)
    return starts


def newcomers(encoder: Encoder, histories: sparse.csr_matrix, starts: Float32Array, weight: float) -> Float32Array:
    """Make the vectors of histories, CSR (n, n_items), as the service makes those of newcomers: float32 (n, dim).

    `starts`, (n, dim) or (dim,), are the vectors of people without a like.
    """
    likes = np.diff(histories.indptr).astype(np.float32)[:, None]
    vectors = over_root_of_size(histories) @ encoder.weights + encoder.intercept
    share = likes / np.maximum(likes + np.float32(weight), 1)
    made: Float32Array = np.where(likes > 0, share * vectors + (1 - share) * starts, np.float32(0))
    return made


def _few(positives: sparse.csr_matrix, k: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """Keep k entries of each row, drawn at random."""
    users = np.repeat(np.arange(positives.shape[0]), np.diff(positives.indptr))
    order = np.lexsort((rng.random(positives.nnz), users))
    chosen: npt.NDArray[np.int64] = order[np.arange(positives.nnz) - positives.indptr[users] < k]
    places = (users[chosen], positives.indices[chosen])
    return sparse.csr_matrix((positives.data[chosen], places), shape=positives.shape)
