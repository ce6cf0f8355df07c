import re
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from tests.training.models.battery import FamilyBattery
from training.models.base import TrainingData
from training.models.ease import BYTES_PER_WEIGHT, item_weights, leading_directions, rule
from training.models.encoder import fit_encoder
from training.models.histories import weighted_by_age
from training.models.validated_fit import fit_validated

POWERS = {"user_power": 0.5, "item_power": 0.25, "output_power": 0.75}


class TestEASE(FamilyBattery):
    name = "ease"
    small = {"embedding_size": 8, "regularization": 20.0}


def test_ease_uncut_scores_as_the_regression_of_each_item_on_all_others(data: TrainingData) -> None:
    factors = TestEASE.fitted(data, embedding_size=81, recency_power=0.0)
    histories = data.positives.toarray().astype(float)
    root = np.sqrt(np.maximum(histories.sum(axis=1), 1))[:, None]
    for item in (0, 17):
        others = np.delete(histories, item, axis=1)
        penalised = others.T @ others + 20.0 * np.eye(others.shape[1])
        expected = others @ np.linalg.solve(penalised, others.T @ histories[:, item])
        ours = (factors.user_embeddings @ factors.item_embeddings[item])[:, None] * root
        np.testing.assert_allclose(ours[:, 0], expected, atol=1e-4)


def test_powers_normalise_users_and_items_before_the_regression_and_its_penalty_with_them(data: TrainingData) -> None:
    factors = TestEASE.fitted(data, embedding_size=81, recency_power=0.0, **POWERS)
    histories = data.positives.toarray().astype(float)
    per_user, per_item = np.maximum(histories.sum(axis=1), 1)[:, None], np.maximum(histories.sum(axis=0), 1)
    normalised = histories / per_user**0.5 / per_item**0.25
    penalty = 20.0 * (normalised**2).sum() / histories.sum()
    others = np.delete(normalised, 17, axis=1)
    weights = np.linalg.solve(others.T @ others + penalty * np.eye(others.shape[1]), others.T @ normalised[:, 17])
    expected = (others * per_user**0.5) @ weights * per_item[17] ** 0.75
    ours = (factors.user_embeddings @ factors.item_embeddings[17]) * np.sqrt(per_user[:, 0])
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_the_cut_is_the_best_approximation_of_the_predictions(data: TrainingData) -> None:
    weights = item_weights(data.positives, 20.0)
    directions, strengths = leading_directions(data.positives, weights, 8, np.random.default_rng(0))
    predictions = data.positives @ weights
    singular = np.linalg.svd(predictions, compute_uv=False)
    np.testing.assert_allclose(strengths, singular[:8], rtol=1e-4)
    error = np.linalg.norm(predictions - predictions @ directions @ directions.T)
    assert error == pytest.approx(np.sqrt((singular[8:] ** 2).sum()), rel=1e-4)


def test_the_encoder_gives_the_trained_vectors_exactly(data: TrainingData) -> None:
    factors = TestEASE.fitted(data, recency_power=0.0, **POWERS)
    assert factors.encoder is not None
    sizes = np.maximum(np.diff(data.positives.indptr), 1)[:, None]
    vectors = data.positives @ factors.encoder.weights / np.sqrt(sizes)
    np.testing.assert_allclose(vectors, factors.user_embeddings, atol=1e-6)
    assert not factors.encoder.intercept.any()
    ridge, intercept, _ = fit_encoder(data.positives, factors.user_embeddings)
    assert not np.allclose(data.positives @ ridge / np.sqrt(sizes) + intercept, factors.user_embeddings, atol=1e-3)


def test_recency_weighs_a_history_and_changes_no_item(data: TrainingData) -> None:
    plain, lately = (TestEASE.fitted(data, recency_power=power) for power in (0.0, 0.5))
    np.testing.assert_array_equal(plain.item_embeddings, lately.item_embeddings)
    assert plain.encoder is not None
    weighted = weighted_by_age(data, 0.5)[5] @ plain.encoder.weights / np.sqrt(data.positives[5].nnz)
    np.testing.assert_allclose(lately.user_embeddings[5], weighted.ravel(), atol=1e-6)


def test_ease_leaves_rare_items_out_of_its_matrix_and_says_so(
    data: TrainingData, capsys: pytest.CaptureFixture[str]
) -> None:
    factors = TestEASE.fitted(data, max_items=30)
    counts = np.bincount(data.positives.indices, minlength=data.positives.shape[1])
    chosen = factors.item_embeddings.any(axis=1)
    assert chosen.sum() == 30
    assert counts[chosen].min() >= counts[~chosen].max()
    said = rf"ease: 30 of 80 liked items, {counts[chosen].sum() / counts.sum():.1%} of all positives; memory: 0\.00 GB"
    assert re.search(said, capsys.readouterr().err)


def test_without_a_regularisation_it_follows_from_the_data(data: TrainingData) -> None:
    family = TestEASE.made(regularization=None)
    plain = TestEASE.fitted(data, regularization=rule(data.positives))
    ours = family.fit(data, np.random.default_rng(7))
    np.testing.assert_array_equal(ours.item_embeddings, plain.item_embeddings)
    fitted = fit_validated(family, data, np.random.default_rng(7), lambda _: 0.5)
    assert fitted.family.model_dump(mode="json")["regularization"] == rule(data.positives)


@pytest.mark.parametrize(("of_the_rule", "of_the_drafts", "factor"), [(0.8, 0.9, 3), (0.9, 0.8, 1), (0.9, 0.9, 1)])
def test_validation_corrects_the_rule_s_number_if_asked_to_and_the_whole_model_is_better(
    data: TrainingData, of_the_rule: float, of_the_drafts: float, factor: int
) -> None:
    family, number = TestEASE.made(regularization=None, validate_rule=True, recency_power=0.0), rule(data.positives)
    values = iter([0.1, 0.3, 0.2, of_the_rule, of_the_drafts])  # the rule's, 3 times it, 9 times it; then whole models
    fitted = fit_validated(family, data, np.random.default_rng(7), lambda _: next(values))
    decided = fitted.family.model_dump(mode="json")
    assert decided["regularization"] == pytest.approx(factor * number, rel=1e-2)
    assert decided["validate_rule"] is False
    assert fitted.metric == 0.9


def test_a_weight_takes_12_bytes_as_the_log_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.models.ease.COLUMNS_AT_ONCE", 50)
    histories = sparse.random(500, 1000, density=0.02, format="csr", dtype=np.float32, random_state=0)
    tracemalloc.start()
    item_weights(histories, 10.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / 1000**2 < 1.1 * BYTES_PER_WEIGHT


def test_a_draft_has_fewer_items_where_there_are_many() -> None:
    assert TestEASE.made(max_items=15000).draft().max_items == 5000
    assert TestEASE.made(max_items=3000).draft().max_items == 3000


def test_validation_leaves_a_given_number_alone(data: TrainingData) -> None:
    fitted = fit_validated(
        TestEASE.made(regularization=5.0, validate_rule=True), data, np.random.default_rng(7), lambda _: 0.5
    )
    assert fitted.family.model_dump(mode="json")["regularization"] == 5


def test_the_rule_grows_with_the_square_of_a_user_s_positives() -> None:
    def rows(size: int) -> sparse.csr_matrix:
        return sparse.csr_matrix(np.vstack([np.ones((3, size)), np.zeros((5, size))]))

    assert rule(rows(50)) == 100
    assert rule(rows(100)) == 400
