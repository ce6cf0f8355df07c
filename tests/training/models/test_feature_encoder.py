import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse

from training.data.features import vectors_of
from training.models.base import Factors
from training.models.feature_encoder import fit_feature_encoder, fit_item_encoder, with_features

FEATURES = sparse.csr_matrix(np.array([[1, 0], [0, 1], [1, 0], [0, 1], [0, 0]], dtype=np.float32))
LIKES = np.array([30, 10, 0, 0, 0])
RATED = np.array([True, True, True, False, False])


def factors(*, adds: bool = True) -> Factors:
    items, users = np.arange(10, dtype=np.float32).reshape(5, 2), np.ones((3, 2), dtype=np.float32)
    return Factors(users, items, np.zeros(3, np.float32), np.arange(5, dtype=np.float32), adds_features=adds)


def rows(found: Factors) -> npt.NDArray[np.float32]:
    return np.column_stack([found.item_embeddings, found.item_biases])


def test_the_encoder_is_the_ridge_regression_from_features_and_a_free_constant() -> None:
    rng = np.random.default_rng(0)
    features = sparse.csr_matrix((rng.random((60, 8)) < 0.3).astype(np.float32))
    targets = (rng.normal(size=(60, 3)) + 5).astype(np.float32)
    matrix = np.column_stack([features.toarray(), np.ones(60)]).astype(np.float64)
    expected = np.linalg.solve(matrix.T @ matrix + np.diag([2.0] * 8 + [0]), matrix.T @ targets)

    np.testing.assert_allclose(fit_feature_encoder(features, targets, 2.0), expected, atol=1e-4)


def test_items_nobody_likes_teach_the_encoder_nothing() -> None:
    among_two = fit_feature_encoder(FEATURES[:2], rows(factors())[:2], 0.03 * 2)
    np.testing.assert_array_equal(fit_item_encoder(FEATURES, factors(), LIKES), among_two)


@pytest.mark.parametrize("adds", [True, False])
def test_features_add_to_items_with_few_likes_and_make_those_never_rated(adds: bool) -> None:
    made = np.array([[9, 9, 9], [5, 6, 7]], dtype=np.float32)
    encoder = np.vstack([made - 1, np.ones(3)]).astype(np.float32)
    before = factors(adds=adds)
    learned = rows(before)

    found = rows(with_features(before, vectors_of(FEATURES, encoder), FEATURES, LIKES, RATED))

    added = adds * np.array([[0.5], [0.75]]) * made
    np.testing.assert_allclose(found[:2], learned[:2] + added, rtol=1e-6)
    np.testing.assert_array_equal(found[2], learned[2])  # rated, and never liked
    np.testing.assert_array_equal(found[3], made[1])
    np.testing.assert_array_equal(found[4], learned[4])  # of which nothing is known
