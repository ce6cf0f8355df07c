import numpy as np
import pytest
from scipy import sparse

from training.models.encoder import fit_encoder


def test_the_encoder_is_the_ridge_regression_from_histories_to_vectors() -> None:
    rng = np.random.default_rng(0)
    positives = sparse.csr_matrix((rng.random((60, 25)) < 0.2).astype(np.float32))
    vectors = rng.normal(size=(60, 4)).astype(np.float32)
    known = np.diff(positives.indptr) > 0
    dense = positives.toarray()[known] / np.sqrt(np.diff(positives.indptr)[known])[:, None]
    centred = vectors[known] - vectors[known].mean(axis=0)
    expected = np.linalg.solve(dense.T @ dense + np.eye(25), dense.T @ centred)

    encoder, intercept, _ = fit_encoder(positives, vectors)

    np.testing.assert_allclose(encoder, expected, atol=1e-4)
    np.testing.assert_allclose(intercept, vectors[known].mean(axis=0), atol=1e-6)


def test_without_an_intercept_the_regression_goes_through_zero() -> None:
    rng = np.random.default_rng(0)
    positives = sparse.csr_matrix((rng.random((60, 25)) < 0.2).astype(np.float32))
    histories = sparse.diags(1 / np.sqrt(np.maximum(np.diff(positives.indptr), 1))) @ positives
    vectors = (histories @ rng.normal(size=(25, 4)) + 3).astype(np.float32)
    expected = np.linalg.solve((histories.T @ histories).toarray() + np.eye(25), histories.T @ vectors)

    encoder, intercept, _ = fit_encoder(positives, vectors, intercept=False)

    np.testing.assert_allclose(encoder, expected, atol=1e-4)
    assert not intercept.any()


def test_users_without_a_history_do_not_count() -> None:
    positives = sparse.csr_matrix(np.array([[1, 1, 0], [0, 0, 0]], dtype=np.float32))
    vectors = np.array([[1, 2], [100, 100]], dtype=np.float32)
    assert fit_encoder(positives, vectors)[1].tolist() == [1, 2]


def test_vectors_of_zero_give_an_encoder_of_zero() -> None:
    positives = sparse.csr_matrix(np.eye(3, dtype=np.float32))
    encoder, intercept, _ = fit_encoder(positives, np.zeros((3, 1), dtype=np.float32))
    assert not encoder.any()
    assert not intercept.any()


def test_popularity_that_differs_a_thousandfold_takes_few_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.models.encoder.ITERATIONS", 30)
    rng = np.random.default_rng(0)
    liked = (rng.random((20_000, 300)) < np.geomspace(0.9, 0.001, 300)).astype(np.float32)
    vectors = (rng.normal(size=(20_000, 2)) + liked[:, [0, 150]] * 10).astype(np.float32)
    histories = liked / np.sqrt(liked.sum(axis=1))[:, None]
    normal = histories.T @ histories + np.eye(300)
    expected = np.linalg.solve(normal, histories.T @ (vectors - vectors.mean(axis=0)))

    encoder, *_ = fit_encoder(sparse.csr_matrix(liked), vectors)

    np.testing.assert_allclose(encoder, expected, atol=1e-3)


def test_a_dimension_of_zero_stays_zero_beside_another() -> None:
    positives = sparse.csr_matrix((np.random.default_rng(0).random((40, 9)) < 0.4).astype(np.float32))
    vectors = np.column_stack([np.zeros(40), np.arange(40)]).astype(np.float32)
    encoder, *_ = fit_encoder(positives, vectors)
    assert not encoder[:, 0].any()
    np.testing.assert_array_equal(encoder[:, 1], fit_encoder(positives, vectors[:, 1:])[0][:, 0])
