"""Fits the feature encoders: of items, to their vectors and biases, and of people, to their vectors."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact_format import Float32Array
from training.models.base import Factors
from training.models.encoder import ridge

PENALTY = 0.03  # for each item that is learned from
USER_PENALTY = 100.0
HALF = 30  # likes of an item at which its features have half their say


def fit_feature_encoder(features: sparse.csr_matrix, targets: Float32Array, penalty: float) -> Float32Array:
    """Fit the ridge regression from features to targets: float32 (n_features + 1, n_targets).

    `features`: CSR (n, n_features); `targets`: float32 (n, n_targets). The last row is that of a constant, which costs
    no penalty.
    """
    constant = np.ones((features.shape[0], 1))
    matrix = sparse.hstack([features.astype(np.float64), constant], format="csr")
    penalties = np.append(np.full(features.shape[1], penalty), 0.0)
    return ridge(matrix, targets.astype(np.float64), penalties).astype(np.float32)


def fit_item_encoder(features: sparse.csr_matrix, factors: Factors, likes: npt.NDArray[np.int64]) -> Float32Array:
    """Fit the encoder of items, float32 (n_features + 1, dim + 1), to those with likes; the last column is the bias."""
    liked = likes > 0
    targets = np.column_stack([factors.item_embeddings, factors.item_biases])[liked]
    return fit_feature_encoder(features[liked], targets, PENALTY * np.count_nonzero(liked))


def fit_user_encoder(features: sparse.csr_matrix, user_embeddings: Float32Array) -> Float32Array:
    """Fit the encoder of people, float32 (n_features + 1, dim), to those of whom attributes and a vector are known.

    All vectors get the mean length: else the few with the longest histories, whose vectors are the longest, would tell
    what newcomers are like.
    """
    known = (np.diff(features.indptr) > 0) & user_embeddings.any(axis=1)
    return fit_feature_encoder(features[known], of_one_length(user_embeddings[known]), USER_PENALTY)


def of_one_length(vectors: Float32Array, length: float | None = None) -> Float32Array:
    """Scale vectors, none of them zero, to a length, by default their mean: float32 (n, dim)."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Float32Array = vectors * ((lengths.mean() if length is None else length) / lengths)
    return scaled


def with_features(
    factors: Factors,
    made: Float32Array,
    features: sparse.csr_matrix,
    likes: npt.NDArray[np.int64],
    rated: npt.NDArray[np.bool_],
) -> Factors:
    """Return the factors with items whose vectors and biases hold what their features say, `made` by `vectors_of`.

    An item that nobody has rated is only that. It is added to items with likes, times 30 / (30 + likes), where the
    factors say so. Items that were rated and never liked stay zero, or they would push out others.
    """
    described = np.diff(features.indptr) > 0
    items = np.column_stack([factors.item_embeddings, factors.item_biases])
    if factors.adds_features:
        share = np.where(described & (likes > 0), HALF / (HALF + likes), 0).astype(np.float32)
        items += share[:, None] * made
    new = described & ~rated
    items[new] = made[new]
    return replace(factors, item_embeddings=items[:, :-1], item_biases=items[:, -1])
