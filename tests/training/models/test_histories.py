import numpy as np
import pytest
from scipy import sparse

from app.contract.encoder import Encoder
from app.contract.recommender import Recommender
from tests.artifacts import make_artifact
from training.models.base import Factors, TrainingData
from training.models.histories import best_or_zero, weighted_by_age, with_encoded_users

POSITIVES = sparse.csr_matrix(np.array([[1, 1, 1, 0], [0, 0, 0, 0], [0, 1, 0, 1]], dtype=np.float32))


def data(times: list[float] | None) -> TrainingData:
    nothing = sparse.csr_matrix((4, 0), dtype=np.float32)
    return TrainingData(POSITIVES, nothing, 1, POSITIVES, None if times is None else np.array(times))


def test_a_weight_falls_with_the_place_counted_from_a_user_s_newest_positive() -> None:
    weighted = weighted_by_age(data([30, 10, 20, 5, 9]), 1.0).toarray()
    first, second = np.array([1, 1 / 3, 1 / 2, 0]), np.array([0, 1 / 2, 0, 1])
    np.testing.assert_allclose(weighted[0], first * np.sqrt(3 / (first**2).sum()), rtol=1e-6)
    np.testing.assert_allclose(weighted[2], second * np.sqrt(2 / (second**2).sum()), rtol=1e-6)
    assert not weighted[1].any()


def test_positives_of_the_same_time_are_in_the_order_of_items_and_other_users_times_do_not_matter() -> None:
    weighted = weighted_by_age(data([7, 7, 9, 9, 9]), 0.5).toarray()
    assert weighted[0, 2] / weighted[0, 0] == pytest.approx(3**0.5)
    assert weighted[2, 3] / weighted[2, 1] == pytest.approx(2**0.5)


def test_without_times_or_power_all_weigh_1() -> None:
    assert weighted_by_age(data(None), 0.5) is POSITIVES
    assert weighted_by_age(data([1, 2, 3, 4, 5]), 0.0) is POSITIVES


def test_users_are_encoded_as_the_service_folds_them_in() -> None:
    rng = np.random.default_rng(0)
    weights, intercept = rng.normal(size=(4, 2)).astype(np.float32), np.ones(2, np.float32)
    weights[3] = 0  # nothing is known of it
    zeros = np.zeros(4, np.float32)
    factors = Factors(np.zeros((3, 2), np.float32), weights, zeros[:3], zeros, Encoder(weights, intercept))
    encoded = with_encoded_users(data([30, 10, 20, 5, 9]), factors, 0.5)
    service = Recommender(make_artifact(range(3), range(4), encoder=weights, encoder_intercept=intercept, recency=0.5))
    histories = [[1, 2, 0], [], [1, 3]]
    folded = [service.fold_in(np.array(history, dtype=np.int64)) for history in histories]
    np.testing.assert_array_equal(encoded.user_embeddings, folded)
    assert encoded.encoder is not None
    assert encoded.encoder.recency == 0.5
    by_hand = (weights[0] + weights[2] / 2**0.5 + weights[1] / 3**0.5) / (1 + 1 / 2 + 1 / 3) ** 0.5 + 1
    np.testing.assert_allclose(folded[0], by_hand, rtol=1e-5)
    np.testing.assert_allclose(folded[2], weights[1] + 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("metrics", "chosen"),
    [
        ({0.0: 0.2475, 0.25: 0.2492, 0.5: 0.22}, 0.0),
        ({0.0: 0.1160, 0.25: 0.1212, 0.5: 0.1259}, 0.5),
        ({0.25: 0.1}, 0.25),
        ({0.0: 0.0, 0.25: 0.0}, 0.0),
    ],
)
def test_validation_leaves_0_where_more_gains_no_more_than_chance(metrics: dict[float, float], chosen: float) -> None:
    assert best_or_zero(metrics) == chosen
