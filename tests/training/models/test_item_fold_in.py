import numpy as np
import pytest
from scipy import sparse

from app.contract.encoder import Encoder
from training.models.base import Factors, TrainingData
from training.models.item_fold_in import fit_item_fold_in

DIM = 3


def data(liked: np.ndarray) -> TrainingData:
    positives = sparse.csr_matrix(liked.astype(np.float32))
    return TrainingData(positives, sparse.csr_matrix((liked.shape[1], 0), dtype=np.float32), 1, positives)


def test_the_constant_is_that_by_which_items_follow_those_who_like_them() -> None:
    rng = np.random.default_rng(0)
    liked = rng.random((40, 12)) < 0.4
    liked[:, :2] = True
    encoder = Encoder(rng.normal(size=(12, DIM)).astype(np.float32), rng.normal(size=DIM).astype(np.float32))
    users, made = rng.normal(size=(40, DIM)).astype(np.float32), rng.normal(size=(12, DIM)).astype(np.float32)
    length = np.sqrt((users**2).sum(axis=1).mean())

    def scaled(vector: np.ndarray) -> np.ndarray:
        return np.asarray(vector / np.linalg.norm(vector) * length)

    everybody = np.mean([scaled(user) for user in users], axis=0)

    def crowd(item: int) -> np.ndarray:
        others = [np.flatnonzero(row & (np.arange(12) != item)) for row in liked if row[item]]
        vectors = [
            scaled(encoder.weights[each].sum(axis=0) / np.sqrt(len(each)) + encoder.intercept) for each in others
        ]
        return np.asarray(5.0 * len(others) / (len(others) + 30) * (np.mean(vectors, axis=0) - everybody))

    items = made + np.array([crowd(item) for item in range(12)], dtype=np.float32)
    factors = Factors(users, items, np.zeros(40, np.float32), np.zeros(12, np.float32))
    mean, found = fit_item_fold_in(data(liked), factors, encoder, made)

    np.testing.assert_allclose(mean, everybody, rtol=1e-4)
    assert found == pytest.approx((5.0, length, 30), rel=1e-3)


def test_without_items_of_three_likes_people_have_no_say() -> None:
    vectors, zeros = np.eye(4, DIM, dtype=np.float32), np.zeros(4, np.float32)
    encoder = Encoder(vectors, np.zeros(DIM, np.float32))
    mean, found = fit_item_fold_in(data(np.eye(4)), Factors(vectors, vectors, zeros, zeros), encoder, 0 * vectors)
    assert (found.kappa, len(mean)) == (0, DIM)
