import numpy as np
import pytest

from training.metrics.bootstrap import confidence_interval


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(5, 2, size=(2000, 1))
    interval = confidence_interval(values, 2000, 0.95, np.random.default_rng(1))[0]
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.02)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.02)


def test_a_constant_has_no_width() -> None:
    interval = confidence_interval(np.full((50, 1), 0.25), 100, 0.95, np.random.default_rng(0))[0]
    assert (interval.low, interval.high) == pytest.approx((0.25, 0.25))


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random((100, 2))
    first, second = (confidence_interval(values, 200, 0.9, np.random.default_rng(3)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("resamples", [1, 49, 50, 51, 120])
def test_as_many_resamples_are_drawn_as_are_asked_for(resamples: int) -> None:
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    values = np.random.default_rng(0).random((20, 1))
    interval = confidence_interval(values, resamples, 0.9, rng)[0]
    blocks = [
        same.integers(20, size=(min(50, resamples - start), 20), dtype=np.int32) for start in range(0, resamples, 50)
    ]
    means = values[np.concatenate(blocks), 0].mean(axis=1)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(means, [0.05, 0.95])))
    assert rng.random() == same.random()


def test_a_user_without_a_value_does_not_count() -> None:
    values = np.array([[0.0, 1.0], [1.0, np.nan], [0.0, 2.0], [1.0, np.nan]])
    first, second = confidence_interval(values, 400, 0.9, np.random.default_rng(0))
    assert (first.mean, second.mean) == (0.5, 1.5)
    assert (second.low, second.high) == (1, 2)
