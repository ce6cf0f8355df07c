"""Chooses on validation how vectors are made of people whom no model has learned."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder
from training.data.features import vectors_of
from training.data.people import People
from training.fitting.new_items import fold_in_share
from training.fitting.validation import Validation
from training.models.base import Factors, TrainingData
from training.models.encoder import encoder_of
from training.models.feature_encoder import fit_user_encoder
from training.models.histories import LEAST_GAIN, best_or_zero, encoded_histories, first_of, tried, with_encoded_users

WEIGHTS = (0.0, 0.5, 1.0, 2.0)
LIKES = (1, 3)  # of a newcomer


class Newcomers(NamedTuple):
    """How many likes the mean user counts for, and by which power of its age each like, where no family has said.

    `features` tells whether items with few likes hold what their features say. `fold_in` is the share of the least
    squares' kappa by which those who like a new item move it.
    """

    weight: float = 0.0
    recency: float = 0.0
    features: bool = True
    fold_in: float = 1.0


NOTHING_CHOSEN = Newcomers()


def newcomers(validation: Validation, factors: Factors) -> Newcomers:
    """Choose all on validation; 0 where nothing was learned of users."""
    if not factors.user_embeddings.any():
        return NOTHING_CHOSEN
    data = validation.knowledge.training_data
    encoder = encoder_of(factors, data.positives)
    if encoder.recency is None:
        encoder = encoder._replace(recency=recency(validation, replace(factors, encoder=encoder)))
    factors = replace(factors, encoder=encoder)
    _, made = validation.knowledge.said(factors)
    return Newcomers(
        weight=newcomer_weight(validation, factors),
        recency=float(encoder.recency or 0.0),
        features=features_pay(validation, factors, made),
        fold_in=fold_in_share(validation, factors, made),
    )


def features_pay(validation: Validation, factors: Factors, made: Float32Array) -> bool:
    """Return whether lists keep their metric where items with few likes hold what their features say, `made`.

    They lose it where most items have few likes: then those push out others.
    """
    knowledge = validation.knowledge
    if not factors.adds_features or not knowledge.dataset.item_features.nnz:
        return True
    options = factors, replace(factors, adds_features=False)
    added, left = (validation.measure(knowledge.told(each, made)) for each in options)
    return LEAST_GAIN * added >= left


def recency(validation: Validation, factors: Factors) -> float:
    """Return the recency with which the encoder's vectors of users rank best."""
    data = validation.knowledge.training_data
    powers = tried(data)
    if len(powers) == 1:
        return powers[0]
    return best_or_zero({power: validation.measure(with_encoded_users(data, factors, power)) for power in powers})


def newcomer_weight(validation: Validation, factors: Factors) -> float:
    """Return the weight that ranks best for users of whom a few likes are known, drawn at random from theirs.

    Somebody with k likes h gets k / (k + weight) · Enc(h) + weight / (k + weight) · what attributes say, or the mean
    user where none are known.
    """
    data, rng = validation.knowledge.training_data, np.random.default_rng(validation.seed)
    encoder, starts = encoder_of(factors, data.positives), _starts(factors, validation.knowledge.people)
    heard = [encoded_newcomers(encoder, _few(data, k, rng)) for k in LIKES]

    def worth(weight: float) -> float:
        users = [drawn_to(starts, weight, *encoded) for encoded in heard]
        return float(np.mean([validation.measure(replace(factors, user_embeddings=vectors)) for vectors in users]))

    return best_or_zero({weight: worth(weight) for weight in WEIGHTS})


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


def encoded_newcomers(encoder: Encoder, histories: sparse.csr_matrix) -> tuple[Float32Array, Float32Array]:
    """The vectors of histories, CSR (n, n_items), float32 (n, dim), and the likes that count in them, float32 (n, 1).

    The entries of a row are in the order of time.
    """
    likes: Float32Array = (histories @ encoder.weights.any(axis=1).astype(np.float32))[:, None]
    return encoded_histories(histories, encoder, np.arange(histories.nnz)), likes


def drawn_to(starts: Float32Array, weight: float, vectors: Float32Array, likes: Float32Array) -> Float32Array:
    """Draw what `encoded_newcomers` gives to the starts, as the service does with newcomers: float32 (n, dim).

    `starts`, (n, dim) or (dim,), are the vectors of people without a like.
    """
    share = likes / np.maximum(likes + np.float32(weight), 1)
    made: Float32Array = np.where(likes > 0, share * vectors + (1 - share) * starts, np.float32(0))
    return made


def _few(data: TrainingData, k: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """Keep k entries of each row, drawn at random, in the order of time."""
    users = np.repeat(np.arange(data.positives.shape[0]), np.diff(data.positives.indptr))
    return first_of(data, k, np.lexsort((rng.random(data.positives.nnz), users)))
