import numpy as np
import pytest
from scipy import sparse

from training.models.base import TrainingData
from training.models.recency import over_root_of_size, weighted_by_age

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


def test_positives_of_the_same_time_weigh_the_same_and_other_users_times_do_not_matter() -> None:
    weighted = weighted_by_age(data([7, 7, 9, 9, 9]), 0.5).toarray()
    assert weighted[0, 0] == weighted[0, 1] < weighted[0, 2]
    assert weighted[0, 2] / weighted[0, 0] == pytest.approx(2.5**0.5)
    assert weighted[2].tolist() == [0, 1, 0, 1]


def test_without_times_or_power_all_weigh_1() -> None:
    assert weighted_by_age(data(None), 0.5) is POSITIVES
    assert weighted_by_age(data([1, 2, 3, 4, 5]), 0.0) is POSITIVES


def test_a_history_is_divided_by_the_root_of_its_size() -> None:
    np.testing.assert_allclose(over_root_of_size(POSITIVES).toarray()[0], [3**-0.5] * 3 + [0], rtol=1e-6)
