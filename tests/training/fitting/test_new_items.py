"""How far likes move new items, as validation chooses it."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from scipy import sparse

from app.contract.encoder import Encoder
from app.contract.item_fold_in import ItemFoldIn
from training.fitting.new_items import LAST, LIKES, SHARES, fold_in_share, moves_of
from training.fitting.validation import Validation
from training.models.base import Factors, TrainingData
from training.models.item_fold_in import Likers, fit_item_fold_in

DIM, N_USERS, N_ITEMS = 3, 60, 12
rng = np.random.default_rng(0)
LIKED = rng.random((N_USERS, N_ITEMS)) < 0.5
LIKED[:, -1] = False
LIKED[:2, -1] = True  # too few likes to be compared
ENCODER = Encoder(rng.normal(size=(N_ITEMS, DIM)).astype(np.float32), rng.normal(size=DIM).astype(np.float32))
MADE = rng.normal(size=(N_ITEMS, DIM + 1)).astype(np.float32)
USERS = rng.normal(size=(N_USERS, DIM)).astype(np.float32)


def data() -> TrainingData:
    positives = sparse.csr_matrix(LIKED.astype(np.float32))
    return TrainingData(positives, sparse.csr_matrix((N_ITEMS, 0), dtype=np.float32), 1, positives)


def factors() -> Factors:
    """Items that follow those who like them."""
    of_users, of_items = np.zeros(N_USERS, np.float32), np.zeros(N_ITEMS, np.float32)
    unmoved = Factors(USERS, MADE[:, :-1], of_users, of_items, ENCODER)
    mean, fold_in = fit_item_fold_in(data(), unmoved, ENCODER, MADE[:, :-1])
    moves = moves_of(Likers(data(), ENCODER), fold_in._replace(kappa=5.0), mean, N_USERS, rng)
    return Factors(USERS, (MADE[:, :-1] + moves).astype(np.float32), of_users, of_items, ENCODER)


@dataclass
class Measured:
    """A validation with given metrics of shares, each asked for once for every number of likes."""

    metrics: list[float]
    seed: int = 0

    def __post_init__(self) -> None:
        self.asked: list[Factors] = []
        self.knowledge = SimpleNamespace(training_data=data())

    def measure(self, factors: Factors) -> float:
        self.asked.append(factors)
        return self.metrics[(len(self.asked) - 1) // len(LIKES)]


@pytest.mark.parametrize(
    ("metrics", "share"), [([1, 0.5, 0.2], 1), ([1, 1.005, 1.009], 1), ([1, 1.02, 1.01], 0.5), ([1, 1.02, 1.05], 0.25)]
)
def test_validation_chooses_a_smaller_share_only_where_it_ranks_better(metrics: list[float], share: float) -> None:
    validation = Measured(metrics)
    assert fold_in_share(cast(Validation, validation), factors(), MADE) == share
    assert len(validation.asked) == len(SHARES) * len(LIKES)


def test_items_with_few_likes_are_compared_with_no_other() -> None:
    validation = Measured([1, 1, 1])
    fold_in_share(cast(Validation, validation), factors(), MADE)
    for each in validation.asked:
        assert each.item_biases.tolist() == [*MADE[:-1, -1].tolist(), LAST]
        assert not each.item_embeddings[-1].any()
    whole, half = (validation.asked[place * len(LIKES)].item_embeddings[:-1] - MADE[:-1, :-1] for place in (0, 1))
    np.testing.assert_allclose(half, whole / 2, atol=1e-5)


def test_an_item_is_moved_by_no_more_likers_than_are_told() -> None:
    likers, told = Likers(data(), ENCODER), list[tuple[float, int]]()

    class Noting(ItemFoldIn):
        def moved(self, total: Any, likes: int, mean: Any) -> Any:
            told.append((float(np.linalg.norm(total)), likes))
            return super().moved(total, likes, mean)

    moves_of(likers, Noting(1.0, 2.0, 30), np.zeros(DIM, np.float32), 3, rng)
    assert [likes for _, likes in told] == [3] * (N_ITEMS - 1) + [2]
    assert all(0 < total <= 2.0 * likes + 1e-6 for total, likes in told)
