from dataclasses import replace

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from tests.training.models.battery import FamilyBattery
from training.errors import TrainingError
from training.models.base import Factors, TrainingData
from training.models.encoder import fit_encoder
from training.models.histories import weighted_by_age
from training.models.implicit_als import START, _Rows, rule
from training.models.validated_fit import fit_validated


@pytest.mark.long
class TestImplicitALS(FamilyBattery):
    name = "implicit_als"
    small = {"embedding_size": 8, "regularization": 1.0}


def test_als_scores_are_those_of_the_library(data: TrainingData) -> None:
    params, seed = TestImplicitALS.params(), int(np.random.default_rng(7).integers(2**31))
    with threadpool_limits(1):
        model = AlternatingLeastSquares(
            params["embedding_size"], params["regularization"], params["alpha"],
            iterations=params["epochs"], num_threads=1,
        )  # fmt: skip
        shapes = [(n, params["embedding_size"]) for n in data.positives.shape]
        model.user_factors = np.zeros(shapes[0], dtype=np.float32)
        model.item_factors = np.random.default_rng(seed).random(shapes[1], dtype=np.float32) * START
        model.fit(data.positives, show_progress=False)
        items, scores = model.recommend(5, data.positives[5], N=10)
    factors = TestImplicitALS.fitted(data, recency_power=0.0)
    np.testing.assert_allclose(factors.item_embeddings[items] @ factors.user_embeddings[5], scores, atol=1e-6)


def test_somebody_new_has_nobody_start_elsewhere(data: TrainingData) -> None:
    data = replace(data, times=None)
    nobody = sparse.csr_matrix((1, data.positives.shape[1]), dtype=np.float32)
    with_somebody = replace(data, positives=sparse.vstack([nobody, data.positives], format="csr"))
    alone, together = (TestImplicitALS.made().fit(each, np.random.default_rng(7)) for each in (data, with_somebody))
    np.testing.assert_allclose(together.item_embeddings, alone.item_embeddings, atol=1e-5)
    np.testing.assert_allclose(together.user_embeddings[1:], alone.user_embeddings, atol=1e-5)


def test_the_library_s_private_solver_gives_the_least_squares_of_each_row_with_its_own_penalty() -> None:
    rng = np.random.default_rng(0)
    weights = sparse.random(40, 25, density=0.2, format="csr", dtype=np.float32, random_state=0)
    weights.data[:] = rng.uniform(0.5, 9, weights.nnz)
    others, penalties = rng.normal(size=(25, 6)).astype(np.float32), rng.choice([0.5, 3.0, 20.0], 40)
    rows, solution = _Rows(weights, penalties, 1), np.zeros((40, 6), dtype=np.float32)
    for _ in range(10):
        rows.solved(solution, others)
    for row in range(40):
        confidence = np.ones(25)
        confidence[weights[row].indices] = weights[row].data
        liked = weights[row].toarray().ravel() > 0
        matrix = others.T @ (confidence[:, None] * others) + penalties[row] * np.eye(6)
        expected = np.linalg.solve(matrix, others.T @ (confidence * liked))
        np.testing.assert_allclose(solution[row], expected, atol=1e-4)


def test_penalties_grow_with_the_frequency_in_steps_of_half_a_doubling() -> None:
    family = TestImplicitALS.made(regularization=10.0, frequency_power=0.5)
    matrix = sparse.csr_matrix(np.tril(np.ones((4, 4)))[[0, 0, 0, 3]])  # 1, 1, 1 and 4 entries, 1.75 in the mean
    np.testing.assert_allclose(family._penalties(matrix), 10 * np.sqrt(np.array([1, 1, 1, 4]) / 1.75))
    flat = TestImplicitALS.made(regularization=10.0, frequency_power=0.0)
    assert flat._penalties(matrix).tolist() == [10] * 4


def test_recency_solves_users_once_more_with_weighted_positives(data: TrainingData) -> None:
    plain, lately = (TestImplicitALS.fitted(data, recency_power=power) for power in (0.0, 0.5))
    np.testing.assert_array_equal(plain.item_embeddings, lately.item_embeddings)
    user, params = 5, TestImplicitALS.params()
    confidence, items = np.ones(data.positives.shape[1]), plain.item_embeddings.astype(float)
    weighted = weighted_by_age(data, 0.5)[user]
    confidence[weighted.indices] = params["alpha"] * weighted.data
    matrix = items.T @ (confidence[:, None] * items) + params["regularization"] * np.eye(items.shape[1])
    expected = np.linalg.solve(matrix, items[weighted.indices].T @ confidence[weighted.indices])
    np.testing.assert_allclose(lately.user_embeddings[user], expected, atol=0.02)
    assert not np.allclose(plain.user_embeddings[user], expected, atol=0.02)
    assert lately.encoder is not None
    assert not plain.intercept
    through_zero = fit_encoder(data.positives, plain.user_embeddings, intercept=False)
    np.testing.assert_array_equal(lately.encoder.weights, through_zero.weights)
    assert not lately.encoder.intercept.any()


def test_without_alpha_and_regularisation_they_follow_from_the_data(data: TrainingData) -> None:
    alpha, regularization = rule(data.positives)
    family = TestImplicitALS.made(alpha=None, regularization=None)
    plain = TestImplicitALS.fitted(data, alpha=alpha, regularization=regularization)
    np.testing.assert_array_equal(family.fit(data, np.random.default_rng(7)).item_embeddings, plain.item_embeddings)
    fitted = fit_validated(family, data, np.random.default_rng(7), lambda _: 0.5)
    decided = fitted.family.model_dump(mode="json")
    assert (decided["alpha"], decided["regularization"]) == (alpha, regularization)


def test_validation_corrects_the_rule_s_numbers_if_asked_to_on_a_small_model(data: TrainingData) -> None:
    alpha, regularization = rule(data.positives)
    family = TestImplicitALS.made(
        embedding_size=70, alpha=None, regularization=None, validate_rule=True, epochs=9, recency_power=0.0
    )
    sizes: list[int] = []
    # The rule's, both times 3, both over 3; the regularisation times 3, times 9; with its third that is known already.
    # Then both times 1.7, over 1.7; the regularisation times 1.7, over 1.7, over 1.7 again. Then nine epochs with the
    # rule's numbers, and nine with these.
    values = iter([0.2, 0.1, 0.1, 0.3, 0.2, 0.1, 0.1, 0.1, 0.4, 0.3, *[0.4] * 9, *[0.5] * 9])

    def measure(factors: Factors) -> float:
        sizes.append(factors.item_embeddings.shape[1])
        return next(values)

    fitted = fit_validated(family, data, np.random.default_rng(7), measure)
    decided = fitted.family.model_dump(mode="json")
    assert decided["alpha"] == alpha
    assert decided["regularization"] == pytest.approx(3 / 1.7 * regularization, rel=1e-2)
    assert decided["validate_rule"] is False
    assert sizes == [64] * 10 + [70] * 18


def test_the_rule_follows_density_and_size_of_what_has_positives() -> None:
    matrix = sparse.random(200, 100, density=0.25, format="csr", random_state=0)
    padded = sparse.vstack([matrix, sparse.csr_matrix((50, 100))], format="csr")
    assert rule(padded) == rule(matrix) == (4.0, 7.07)


def test_numbers_that_do_not_stay_finite_are_an_error_with_the_remedy(data: TrainingData) -> None:
    with pytest.raises(TrainingError, match="implicit_als learned NaN or infinite numbers; raise models"):
        TestImplicitALS.fitted(data, alpha=1e38, regularization=0.0)
