"""EASE: a linear item-to-item model in closed form, cut to embeddings."""

from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy import sparse
from scipy.linalg import lapack

from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder
from training.models.base import Factors, TrainingData, Watch
from training.models.histories import RecencyPower, with_encoded_users
from training.models.search import Between, OneOf
from training.params.section import Section
from training.progress import progress, say

COLUMNS_AT_ONCE = 1024
OVERSAMPLING = 32  # dimensions that the search for the leading ones has to spare
ITERATIONS = 6
DRAFT_ITEMS = 5000  # most positives are of these, so the number that suits them suits all
BYTES_PER_WEIGHT = 12  # while fitting: float64 to solve, float32 to keep

Float64Array = npt.NDArray[np.float64]
Power = Annotated[float, Field(ge=0, le=1), Between(0.0, 0.5)]


class EASE(Section):
    """Parameters of Steck, Embarrassingly Shallow Autoencoders for Sparse Data (2019).

    Before the fit a user's row is divided by n^user_power, an item's column by n^item_power, n being the positives of
    either; predictions are multiplied by n^output_power of the item. With 0, all three change nothing. Where
    `regularization` is None, `rule` gives it, and with `validate_rule` validation corrects it.
    """

    embedding_size: Annotated[int, Field(ge=1), OneOf((128, 256, 512))]
    regularization: Annotated[float | None, Field(gt=0), Between(10.0, 2000.0, log=True)]
    max_items: Annotated[int, Field(ge=1)]
    # Recipes of older versions lack these.
    user_power: Power = 0.0
    item_power: Power = 0.0
    output_power: Power = 0.0
    recency_power: RecencyPower = 0.0
    validate_rule: bool = False

    weighs: ClassVar[bool] = True
    moves: ClassVar[tuple[tuple[str, ...], ...]] = (("regularization",),)
    factors: ClassVar[tuple[float, ...]] = (3.0,)

    def resolved(self, data: TrainingData) -> "EASE":
        """Return the family with the rule's number for what is None."""
        if self.regularization is not None:
            return self.model_copy(update={"validate_rule": False})
        regularization = rule(data.positives)
        say(f"ease: the data gives regularization {regularization:g}")
        return self.model_copy(update={"regularization": regularization})

    def draft(self) -> "EASE":
        """Return one of fewer items where there are many: its time grows with their cube."""
        return self.model_copy(update={"max_items": min(self.max_items, DRAFT_ITEMS)})

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Solve for the item-to-item weights, and cut their predictions to `embedding_size` dimensions.

        A user is the sum of the encoder's rows of the history over the root of its size; the root changes no ranking,
        because there is no item bias.
        """
        if self.regularization is None:
            return self.resolved(data).fit(data, rng, watch)
        known = self._items(data)
        histories = data.positives[:, known]
        weights = self._weights(histories, self.regularization)
        directions, strengths = leading_directions(histories, weights, min(self.embedding_size, len(known)), rng)
        # Users and items share the strengths, so that similar items differ in what matters.
        root = np.sqrt(np.maximum(strengths, strengths[0] * np.finfo(np.float32).eps or 1))
        rows, items = (np.zeros((data.positives.shape[1], len(root)), dtype=np.float32) for _ in range(2))
        rows[known] = (weights @ directions) / root
        items[known] = directions * root
        encoder = Encoder(rows, np.zeros_like(root))
        return self.with_recency(data, Factors.learned(data, np.zeros(len(root)), items, encoder=encoder))

    def with_recency(self, data: TrainingData, factors: Factors) -> Factors:
        """Return the factors with users of this family's recency_power."""
        return with_encoded_users(data, factors, self.recency_power)

    def _items(self, data: TrainingData) -> npt.NDArray[np.int64]:
        """Rows of the items with most positives, sorted; says how many are left out, and the memory that it takes."""
        counts = np.bincount(data.positives.indices, minlength=data.positives.shape[1])
        most = np.argsort(-counts, kind="stable")[: self.max_items]
        chosen = np.sort(most[counts[most] > 0])
        liked, share = np.count_nonzero(counts), counts[chosen].sum() / counts.sum()
        memory = BYTES_PER_WEIGHT * len(chosen) ** 2 / 1e9
        say(f"ease: {len(chosen)} of {liked} liked items, {share:.1%} of all positives; memory: {memory:.2f} GB")
        return chosen

    def _weights(self, histories: sparse.csr_matrix, regularization: float) -> Float32Array:
        """The weights that turn a history into predictions: float32 (n_items, n_items)."""
        per_user = np.maximum(np.diff(histories.indptr), 1).astype(np.float64)
        per_item = np.bincount(histories.indices, minlength=histories.shape[1]).astype(np.float64)
        normalised = sparse.diags(per_user**-self.user_power) @ histories @ sparse.diags(per_item**-self.item_power)
        # The diagonal of the Gram matrix shrinks; the penalty shrinks with it.
        weights = item_weights(normalised.tocsr(), regularization * (normalised.data**2).mean())
        weights *= (per_item**-self.item_power).astype(np.float32)[:, None]
        weights *= (per_item**self.output_power).astype(np.float32)
        return weights


def rule(positives: sparse.csr_matrix) -> float:
    """Compute `regularization` = (mean positives of a user)² / 25, with three digits; users without one don't count."""
    mean = positives.nnz / max(1, np.count_nonzero(np.diff(positives.indptr)))
    return float(f"{mean**2 / 25:.3g}")


def item_weights(histories: sparse.csr_matrix, regularization: float) -> Float32Array:
    """Compute the least-squares weights that predict each item from all others: float32 (n_items, n_items).

    `histories`: CSR (n_users, n_items). With P the inverse of XᵀX + λI, the weight of item i for item j
    is -P[i, j] / P[j, j], and 0 for itself: Steck (2019), equation 8.
    """
    inverse = _inverse(histories, regularization)
    diagonal = inverse.diagonal().copy()
    np.fill_diagonal(inverse, 0)
    inverse += inverse.T.copy()
    inverse /= -diagonal
    return inverse


def _inverse(histories: sparse.csr_matrix, regularization: float) -> Float32Array:
    """The lower triangle of the inverse of XᵀX + λI, rounded to float32 after it was solved in float64."""
    gram = _gram(histories)
    np.fill_diagonal(gram, gram.diagonal() + regularization)
    # By Cholesky, in place; λ > 0 makes the matrix positive definite, so neither step can fail.
    lower, _ = lapack.dpotrf(gram.T, lower=True, overwrite_a=True)
    inverse, _ = lapack.dpotri(lower, lower=True, overwrite_c=True)
    rounded: Float32Array = inverse.astype(np.float32)
    for column in range(1, len(rounded)):  # in place: np.tril would take as much memory again
        rounded[:column, column] = 0
    return rounded


def _gram(histories: sparse.csr_matrix) -> Float64Array:
    n_items, transposed = histories.shape[1], histories.T.tocsr()
    gram = np.empty((n_items, n_items))
    for start in progress(range(0, n_items, COLUMNS_AT_ONCE), "ease", "block"):
        block = slice(start, start + COLUMNS_AT_ONCE)
        gram[block] = (transposed[block] @ histories).toarray()
    return gram


def leading_directions(
    histories: sparse.csr_matrix, weights: Float32Array, rank: int, rng: np.random.Generator
) -> tuple[Float32Array, Float32Array]:
    """Find the right singular vectors of the predictions X·B, float32 (n_items, rank), and singular values, (rank,).

    `histories` X: float32 CSR (n_users, n_items); `weights` B: float32 (n_items, n_items). X·B projected on them is the
    best approximation of that rank (Eckart, Young, 1936). Method: subspace iteration, Halko et al. (2011), algorithm
    4.4; X·B itself, which may be huge, is never made.
    """
    transposed, n_items = histories.T.tocsr(), len(weights)

    def gram_times(vectors: Float32Array) -> Float32Array:
        product: Float32Array = weights.T @ (transposed @ (histories @ (weights @ vectors)))
        return product

    basis = rng.standard_normal((n_items, min(rank + OVERSAMPLING, n_items)), dtype=np.float32)
    for _ in progress(range(ITERATIONS), "ease cut", "step"):
        basis, _ = np.linalg.qr(gram_times(basis))
    squares, rotation = np.linalg.eigh((basis.T @ gram_times(basis)).astype(np.float64))
    leading = slice(None, -rank - 1, -1)
    directions: Float32Array = basis @ rotation[:, leading].astype(np.float32)
    return directions, np.sqrt(np.maximum(squares[leading], 0)).astype(np.float32)
