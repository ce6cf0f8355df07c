"""Chooses on validation how far those who like an item move it that no model has learned."""

from dataclasses import replace

import numpy as np

from app.contract.artifact_format import Float32Array, Float64Array
from app.contract.item_fold_in import ItemFoldIn
from training.fitting.validation import Validation
from training.models.base import Factors
from training.models.encoder import encoder_of
from training.models.histories import best_or
from training.models.item_fold_in import Likers, fit_item_fold_in

SHARES = (1.0, 0.5, 0.25)
LIKES = (1, 3, 10)  # of a new item
LAST = np.float32(-1000)  # the bias of what is not compared: no list comes to it


def fold_in_share(validation: Validation, factors: Factors, made: Float32Array) -> float:
    """Return the share of the fold-in's kappa that ranks best where a few likes are told, drawn at random.

    `made`, float32 (n_items, dim + 1), is what features say of vectors and biases. The least squares may take kappa too
    large: the vectors that they follow were learned from the same likes. Items with ten likes or more are ranked among
    themselves, each as if it were new.
    """
    data, rng = validation.knowledge.training_data, np.random.default_rng(validation.seed)
    encoder = encoder_of(factors, data.positives)
    mean, fold_in = fit_item_fold_in(data, factors, encoder, made[:, :-1])
    likers = Likers(data, encoder)
    compared = likers.likes >= max(LIKES)
    if not fold_in.kappa or not compared.any():
        return 1.0
    moves = [moves_of(likers, fold_in, mean, k, rng) for k in LIKES]
    biases = np.where(compared, made[:, -1], LAST)

    def measure(vectors: Float64Array) -> float:
        embeddings = np.where(compared[:, None], vectors, 0).astype(np.float32)
        return validation.measure(replace(factors, item_embeddings=embeddings, item_biases=biases))

    def worth(share: float) -> float:
        return float(np.mean([measure(made[:, :-1] + share * each) for each in moves]))

    return best_or(1.0, {share: worth(share) for share in SHARES})


def moves_of(likers: Likers, fold_in: ItemFoldIn, mean: Float32Array, k: int, rng: np.random.Generator) -> Float64Array:
    """How far k of those who like it, drawn at random, move each item: float64 (n_items, dim)."""
    moves = np.zeros((len(likers.likes), len(mean)))
    for item in np.flatnonzero(likers.likes):
        crowd = fold_in.scaled(likers.vectors(int(item), k, rng))
        moves[item] = fold_in.moved(crowd.sum(axis=0), len(crowd), mean)
    return moves
