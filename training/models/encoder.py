"""Fits the fold-in encoder, which turns a history into a user vector without retraining."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder
from training.models.base import Factors

Float64Array = npt.NDArray[np.float64]

REGULARISATION = 1.0
ITERATIONS = 200
TOLERANCE = 1e-6


def encoder_of(factors: Factors, positives: sparse.csr_matrix) -> Encoder:
    """The encoder that the factors have; else the one that `fit_encoder` finds for them."""
    return factors.encoder or fit_encoder(positives, factors.user_embeddings, intercept=factors.intercept)


def with_recency(factors: Factors, positives: sparse.csr_matrix, recency: float) -> Factors:
    """The factors with an encoder whose recency is this, unless their family has chosen one."""
    encoder = encoder_of(factors, positives)
    chosen = encoder if encoder.recency is not None else encoder._replace(recency=recency)
    return replace(factors, encoder=chosen)


def fit_encoder(positives: sparse.csr_matrix, user_embeddings: Float32Array, *, intercept: bool = True) -> Encoder:
    """Fit the ridge regression from histories to trained user vectors.

    A history is a row of `positives` (n_users, n_items), divided by the root of its length; users without a positive
    are left out. Without `intercept` it is zero.
    """
    lengths = np.diff(positives.indptr)
    known = lengths > 0
    histories = sparse.diags(1 / np.sqrt(lengths[known])) @ positives[known].astype(np.float64)
    vectors = user_embeddings[known].astype(np.float64)
    mean = vectors.mean(axis=0) if len(vectors) and intercept else np.zeros(user_embeddings.shape[1])
    encoder = ridge(histories.tocsr(), vectors - mean, np.full(histories.shape[1], REGULARISATION))
    return Encoder(encoder.astype(np.float32), mean.astype(np.float32))


def ridge(matrix: sparse.csr_matrix, targets: Float64Array, penalties: Float64Array) -> Float64Array:
    """Solve (XᵀX + diag(penalties)) W = XᵀY for a matrix X, CSR (n, m), and targets Y, (n, dim): float64 (m, dim).

    Method: conjugate gradients, Hestenes and Stiefel (1952), for all columns at once, preconditioned with the diagonal.
    """
    penalties = penalties[:, None]
    transposed = matrix.T.tocsr()
    # Popular items weigh far more than others: without this there are eight times as many iterations on large data.
    diagonal = penalties + np.asarray(matrix.power(2).sum(axis=0)).reshape(-1, 1)
    residual: Float64Array = transposed @ targets
    solution, direction = np.zeros_like(residual), residual / diagonal
    norms = start = (residual * direction).sum(axis=0)
    for _ in range(ITERATIONS):
        if (norms <= TOLERANCE**2 * start).all():
            break
        image = transposed @ (matrix @ direction) + penalties * direction
        steps = _ratio(norms, (direction * image).sum(axis=0))
        solution += steps * direction
        residual -= steps * image
        preconditioned = residual / diagonal
        former, norms = norms, (residual * preconditioned).sum(axis=0)
        direction = preconditioned + _ratio(norms, former) * direction
    return solution


def _ratio(numerator: Float64Array, denominator: Float64Array) -> Float64Array:
    """The quotient, 0 where the denominator is 0 because the column is solved."""
    quotient: Float64Array = np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
    return quotient
