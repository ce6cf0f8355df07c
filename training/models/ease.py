"""EASE: a linear item-to-item model in closed form, cut to embeddings."""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse
from scipy.linalg import lapack
from sklearn.utils.extmath import randomized_svd

from app.contract.artifact import Float32Array
from training.models.base import Factors, TrainingData, Watch
from training.models.search import Between, OneOf
from training.params.section import Section
from training.progress import progress

POWER_ITERATIONS = 4
COLUMNS_AT_ONCE = 1024

Float64Array = npt.NDArray[np.float64]


class EASE(Section):
    """Parameters of Steck, Embarrassingly Shallow Autoencoders for Sparse Data (2019).

    The item-to-item matrix is cut to its `embedding_size` largest singular values. It is square and dense, so it
    holds only the `max_items` items with most positives.
    """

    embedding_size: Annotated[int, Field(ge=1), OneOf((128, 256, 512))]
    regularization: Annotated[float, Field(gt=0), Between(10.0, 2000.0, log=True)]
    max_items: Annotated[int, Field(ge=1)]

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Solve for the matrix and cut it; a user is the sum of the history's rows over the root of its length.

        The root changes no ranking, because there is no item bias, and it is the form that the fold-in encoder fits.
        """
        known = self._items(data)
        histories = data.positives[:, known]
        rank = min(self.embedding_size, len(known))
        seed = int(rng.integers(2**31))
        left, strengths, right = randomized_svd(
            item_weights(histories, self.regularization), rank, n_iter=POWER_ITERATIONS, random_state=seed
        )
        root = np.sqrt(strengths)
        users = _over_root_of_length(histories) @ (left * root)
        items = np.zeros((data.positives.shape[1], rank), dtype=np.float32)
        items[known] = right.T * root
        return Factors.learned(data, users, items)

    def _items(self, data: TrainingData) -> npt.NDArray[np.int64]:
        counts = np.bincount(data.positives.indices, minlength=data.positives.shape[1])
        most = np.argsort(-counts, kind="stable")[: self.max_items]
        return np.sort(most[counts[most] > 0])


def item_weights(histories: sparse.csr_matrix, regularization: float) -> Float32Array:
    """Compute the least-squares weights that predict each item from all others: float32 (n_items, n_items).

    `histories`: float32 CSR (n_users, n_items). With P the inverse of XᵀX + λI, the weight of item i for item j
    is -P[i, j] / P[j, j], and 0 for itself: Steck (2019), equation 8.
    """
    gram = _gram(histories)
    np.fill_diagonal(gram, gram.diagonal() + regularization)
    # By Cholesky, in place; λ > 0 makes the matrix positive definite, so neither step can fail.
    lower, _ = lapack.dpotrf(gram.T, lower=True, overwrite_a=True)
    inverse, _ = lapack.dpotri(lower, lower=True, overwrite_c=True)
    weights: Float32Array = inverse.astype(np.float32)
    weights = np.tril(weights, -1)
    weights += weights.T.copy()
    weights /= -inverse.diagonal().astype(np.float32)
    return weights


def _gram(histories: sparse.csr_matrix) -> Float64Array:
    n_items, transposed = histories.shape[1], histories.T.tocsr()
    gram = np.empty((n_items, n_items))
    for start in progress(range(0, n_items, COLUMNS_AT_ONCE), "ease", "block"):
        block = slice(start, start + COLUMNS_AT_ONCE)
        gram[block] = (transposed[block] @ histories).toarray()
    return gram


def _over_root_of_length(histories: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.maximum(np.diff(histories.indptr), 1).astype(np.float32)
    return sparse.diags(1 / np.sqrt(lengths)) @ histories
