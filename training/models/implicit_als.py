"""Implicit ALS: matrix factorisation by weighted least squares over all items, positive or not."""

from dataclasses import replace
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt

# Private: requirements.lock pins its version, and a test compares it with NumPy.
from implicit.cpu._als import least_squares_cg
from pydantic import Field
from scipy import sparse
from threadpoolctl import threadpool_limits

from app.contract.artifact_format import Float32Array
from training.errors import TrainingError
from training.models.base import Factors, IterativeSection, TrainingData, Watch
from training.models.encoder import encoder_of
from training.models.histories import RecencyPower, weighted_by_age
from training.models.search import Between, OneOf
from training.progress import progress, say

DRAFT_SIZE, DRAFT_EPOCHS = 64, 8
START = 0.01  # the largest number of an item's embedding before the first epoch
LEVELS = 2  # of a frequency, per doubling: rows of one level share their regularisation


class ImplicitALS(IterativeSection):
    """Parameters of Hu, Koren and Volinsky, Collaborative Filtering for Implicit Feedback Datasets (2008).

    `alpha` is the weight of a positive; everything else weighs 1. `regularization` is the penalty on an embedding's
    squared norm, for a user or item with n positives times (n / mean n)^frequency_power: Rendle et al., Revisiting the
    Performance of iALS on Item Recommendation Benchmarks (2021). Where one of the first two is None, `rule` gives it,
    and with `validate_rule` validation corrects both.
    """

    embedding_size: Annotated[int, Field(ge=1), OneOf((32, 64, 128, 256, 512))]
    alpha: Annotated[float | None, Field(gt=0), Between(0.5, 200.0, log=True)]
    regularization: Annotated[float | None, Field(ge=0), Between(0.1, 500.0, log=True)]
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] | None
    # Recipes of older versions lack these.
    validate_rule: bool = False
    frequency_power: Annotated[float, Field(ge=0, le=1), Between(0.0, 1.0)] = 0.0
    recency_power: RecencyPower = 0.0

    weighs: ClassVar[bool] = True
    moves: ClassVar[tuple[tuple[str, ...], ...]] = (("alpha", "regularization"), ("regularization",))
    factors: ClassVar[tuple[float, ...]] = (3.0, 1.7)  # a regularisation that is a little too high loses much

    def resolved(self, data: TrainingData) -> "ImplicitALS":
        """Return the family with the rule's numbers for what is None."""
        if self.alpha is not None and self.regularization is not None:
            return self.model_copy(update={"validate_rule": False})
        alpha, regularization = rule(data.positives)
        numbers = {
            "alpha": alpha if self.alpha is None else self.alpha,
            "regularization": regularization if self.regularization is None else self.regularization,
        }
        say(f"implicit_als: the data gives alpha {numbers['alpha']:g}, regularization {numbers['regularization']:g}")
        return self.model_copy(update=numbers)

    def draft(self) -> "ImplicitALS":
        """Return a small one: the numbers that suit it suit a large one."""
        smaller = {"embedding_size": min(self.embedding_size, DRAFT_SIZE), "epochs": min(self.epochs, DRAFT_EPOCHS)}
        return self.model_copy(update=smaller | {"patience": None})

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Solve for all users, then for all items, epoch by epoch.

        At the end, and for `watch`, users are solved once more with positives weighted by age^-recency_power.
        Raises TrainingError where the numbers don't stay finite.
        """
        if self.alpha is None or self.regularization is None:
            return self.resolved(data).fit(data, rng, watch)
        start = np.random.default_rng(int(rng.integers(2**31)))
        n_users, n_items = data.positives.shape
        # Users are solved first. Random ones would have everybody start elsewhere once somebody new comes.
        users = np.zeros((n_users, self.embedding_size), dtype=np.float32)
        items = start.random((n_items, self.embedding_size), dtype=np.float32) * START
        by_user = _Rows(self.alpha * data.positives, self._penalties(data.positives), data.threads)
        transposed = data.positives.T.tocsr()
        by_item = _Rows(self.alpha * transposed, self._penalties(transposed), data.threads)

        def factors() -> Factors:
            # A solution without likes is zero: a mean user in everybody's vector would hide what few likes say.
            return self.with_recency(data, Factors.learned(data, users, items, intercept=False))

        with threadpool_limits(1, "blas"):  # the library has threads of its own
            for epoch in progress(range(1, self.epochs + 1), "implicit_als", "epoch"):
                by_user.solved(users, items)
                by_item.solved(items, users)
                if not (np.isfinite(users).all() and np.isfinite(items).all()):
                    remedy = f"raise models.implicit_als.regularization, now {self.regularization:g}"
                    raise TrainingError(f"implicit_als learned NaN or infinite numbers; {remedy}")
                if watch is not None and watch(epoch, factors):
                    break
            return factors()

    def with_recency(self, data: TrainingData, factors: Factors) -> Factors:
        """Return the factors with users of this family's recency_power, solved from those that they have.

        The encoder is that of the users before: it takes all items of a history alike, so it can't learn recency.
        """
        if not self.recency_power or data.times is None:
            return factors
        weights = self.alpha * weighted_by_age(data, self.recency_power)
        rows = _Rows(weights, self._penalties(data.positives), data.threads)
        return replace(
            factors,
            user_embeddings=rows.solved(factors.user_embeddings.copy(), factors.item_embeddings),
            encoder=encoder_of(factors, data.positives),
        )

    def _penalties(self, matrix: sparse.csr_matrix) -> npt.NDArray[np.float64]:
        """The regularisation of each row: float64 (n_rows,)."""
        counts = np.diff(matrix.indptr)
        levels = 2 ** (np.round(LEVELS * np.log2(np.maximum(counts, 1))) / LEVELS)
        mean = matrix.nnz / max(1, np.count_nonzero(counts))
        return np.asarray(self.regularization * (levels / mean) ** self.frequency_power)


def rule(positives: sparse.csr_matrix) -> tuple[float, float]:
    """Compute `alpha` = 2 / √density and `regularization` = √positives / 10, with three digits.

    Users and items without a positive don't count. Fitted to a dense and a sparse public data set.
    """
    n_users = np.count_nonzero(np.diff(positives.indptr))
    n_items = len(np.unique(positives.indices))
    density = positives.nnz / (n_users * n_items)
    return float(f"{2 / np.sqrt(density):.3g}"), float(f"{np.sqrt(positives.nnz) / 10:.3g}")


class _Rows:
    """The rows of users, or of items, with their weights and penalties."""

    def __init__(self, weights: sparse.csr_matrix, penalties: npt.NDArray[np.float64], threads: int) -> None:
        self._threads = threads
        values, level = np.unique(penalties, return_inverse=True)
        groups = [(np.flatnonzero(level == place), float(value)) for place, value in enumerate(values)]
        self._groups = [(rows, weights[rows] if len(values) > 1 else weights, value) for rows, value in groups]

    def solved(self, embeddings: Float32Array, others: Float32Array) -> Float32Array:
        """Improve the rows' embeddings in place, given the others', by three steps of conjugate gradients."""
        for rows, weights, penalty in self._groups:
            solution = embeddings[rows]
            least_squares_cg(weights, solution, others, penalty, num_threads=self._threads)
            embeddings[rows] = solution
        return embeddings
