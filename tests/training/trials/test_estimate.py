import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from training.metrics.bootstrap import Interval
from training.trials.estimate import estimate


def ends(interval: Interval) -> tuple[float, float, float]:
    return interval.mean, interval.low, interval.high


@pytest.fixture
def users() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    lists, arm = rng.integers(1, 9, 900), (rng.random(900) < 0.4).astype(int)
    return pd.DataFrame({"arm": arm, "lists": lists, "successes": rng.binomial(lists, np.where(arm, 0.1, 0.08))})


def test_the_intervals_are_those_of_another_library(users: pd.DataFrame) -> None:
    # tea-tasting 1.14.0, RatioOfMeans and Mean, of the same users.
    found = estimate(users, 0.95)
    assert ends(found.per_list.difference) == pytest.approx(
        (0.03669139136056518, 0.018851629295870954, 0.0545311534252594)
    )
    assert ends(found.per_list.relative) == pytest.approx((0.5248555925083145, 0.247986215030648, 0.8631492479640739))
    assert ends(found.success.relative) == pytest.approx((0.4320210999316205, 0.18007552480244549, 0.7377569380507827))


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_share_of_users_with_a_success_is_compared_by_welch_s_test(users: pd.DataFrame, confidence: float) -> None:
    production, challenger = (users[users["arm"] == arm]["successes"] > 0 for arm in (0, 1))
    expected = ttest_ind(challenger, production, equal_var=False).confidence_interval(confidence)
    found = estimate(users, confidence).success.difference
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_without_a_success_nothing_is_relative(users: pd.DataFrame) -> None:
    found = estimate(users.assign(successes=0), 0.95).per_list
    assert (found.production, found.challenger, *ends(found.difference)) == (0, 0, 0, 0, 0)
    assert all(math.isnan(value) for value in ends(found.relative))


@pytest.mark.parametrize("n", [0, 1])
def test_an_arm_without_enough_users_has_no_figure(users: pd.DataFrame, n: int) -> None:
    few = pd.concat([users[users["arm"] == 0], users[users["arm"] == 1].head(n)])
    found = estimate(few, 0.95).per_list
    assert found.production > 0
    assert all(math.isnan(value) for value in (found.challenger, *ends(found.difference), *ends(found.relative)))
