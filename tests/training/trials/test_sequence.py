import math
from bisect import bisect_left

import numpy as np
import pandas as pd
import pytest

from tests.marks import long
from tests.training.trials.simulation import FIRST_DAY, simulate
from training.trials.estimate import estimate, ratio_p
from training.trials.sequence import LEAST_USERS, Standing, half_width, standings, users_needed

TRIALS = 60


def by_user(daily: pd.DataFrame) -> pd.DataFrame:
    return daily.groupby("user_id").agg(arm=("arm", "first"), lists=("lists", "sum"), successes=("successes", "sum"))


@pytest.fixture(scope="module")
def daily() -> pd.DataFrame:
    return simulate(np.random.default_rng(1), n_users=1500, days=10, lift=0.3)


@pytest.mark.parametrize("day", [0, 4, 9])
def test_a_standing_is_what_one_would_compute_from_all_until_that_day(daily: pd.DataFrame, day: int) -> None:
    standing = standings(daily, 0.05)[day]
    users = by_user(daily[daily["day"] <= FIRST_DAY + day])
    assert standing.day == FIRST_DAY + day
    for arm in (0, 1):
        mine = users[users["arm"] == arm]
        assert standing.users[arm] == len(mine)
        assert standing.rates[arm] == pytest.approx(mine["successes"].sum() / mine["lists"].sum())
    # The estimate has t where this has the normal distribution, and n - 1 where this has n.
    found = estimate(users, 0.95).per_list.difference
    assert standing.difference == pytest.approx(found.mean)
    assert 2 * 1.96 * standing.standard_error == pytest.approx(found.high - found.low, rel=0.02)


def test_the_band_of_a_mean_is_that_worked_out_by_hand() -> None:
    # rho² = (5.991465 + ln(6.991465)) / 5000 = 0.00158723; N·rho² = 1.58723 for 1000 users with a variance of 1.
    expected = math.sqrt(2 * 2.58723 / (1000 * 1.58723) * math.log(math.sqrt(2.58723) / 0.05))
    assert half_width(1000, 1 / math.sqrt(1000), 0.05) == pytest.approx(expected, rel=3e-6)
    assert expected == pytest.approx(0.1064, rel=1e-3)


def test_with_few_users_or_successes_there_is_no_band() -> None:
    few = simulate(np.random.default_rng(2), n_users=LEAST_USERS, days=3)
    assert all(math.isnan(standing.half) for standing in standings(few, 0.05))
    none = simulate(np.random.default_rng(2), n_users=1000, days=3).assign(successes=0)
    assert all(math.isnan(standing.half) for standing in standings(none, 0.05))
    assert standings(few.iloc[:0], 0.05) == []


@pytest.mark.parametrize(("n_users", "successes", "has_band"), [(100, 20, True), (99, 20, False), (100, 19, False)])
def test_a_band_takes_a_hundred_users_and_twenty_successes_in_each_arm(
    n_users: int, successes: int, has_band: bool
) -> None:
    of_arm = pd.DataFrame({"user_id": range(n_users), "day": 5, "lists": 3, "successes": 0}).assign(arm=0)
    of_arm.loc[: successes - 1, "successes"] = 1
    [standing] = standings(pd.concat([of_arm, of_arm.assign(arm=1, user_id=of_arm["user_id"] + 1000)]), 0.05)
    assert math.isnan(standing.half) != has_band


def test_what_comes_late_counts_on_its_day_and_no_new_user() -> None:
    rows = [("a", 0, 5, 2, 0), ("b", 1, 5, 1, 1), ("a", 0, 7, 0, 1), ("b", 1, 6, 3, 0)]
    daily = pd.DataFrame(rows, columns=["user_id", "arm", "day", "lists", "successes"])
    assert [(standing.day, standing.users, standing.rates) for standing in standings(daily, 0.05)] == [
        (5, (1, 1), (0.0, 1.0)),
        (6, (1, 1), (0.0, 0.25)),
        (7, (1, 1), (0.5, 0.25)),
    ]


def test_how_many_more_users_are_needed_follows_from_the_band() -> None:
    standing = Standing(3, (1000, 1000), (0.10, 0.12), 0.01, half_width(2000, 0.01, 0.05))
    needed = users_needed(standing, 0.05, 1e6)
    assert needed is not None
    spread = 0.01 * math.sqrt(2000)
    assert half_width(needed, spread / math.sqrt(needed), 0.05) <= 0.02
    assert half_width(needed / 1.02, spread / math.sqrt(needed / 1.02), 0.05) > 0.02
    assert users_needed(standing, 0.05, needed) == needed
    assert users_needed(standing, 0.05, 2500) is None
    assert users_needed(standing._replace(rates=(0.1, 0.1)), 0.05, 1e6) is None
    assert users_needed(standing._replace(rates=(0.1, 0.9)), 0.05, 1e6) == 2000
    just = Standing(3, (2048, 2048), (0.0, half_width(4096, 0.01, 0.05)), 0.01, 0.0)
    assert users_needed(just, 0.05, 1e6) == 4096
    one_client = standing._replace(bought=0.01)
    assert users_needed(one_client, 0.05, 1e6) == users_needed(standing._replace(rates=(0.1, 0.11)), 0.05, 1e6)


def excludes_0(standing: Standing) -> bool:
    return not standing.low <= 0 <= standing.high and not math.isnan(standing.half)


def with_good_lists(daily: pd.DataFrame, number: int, arm: int, each: int) -> pd.DataFrame:
    """Lists that one client got and said something good about: in the names of those who like least, `each` of one."""
    users = by_user(daily[daily["arm"] == arm]).sort_values(["successes", "lists"], ascending=[True, False]).index
    more = {
        "user_id": users[np.arange(number) // each],
        "arm": arm,
        "day": daily["day"].max(),
        "lists": 1,
        "successes": 1,
    }
    return pd.concat([daily, pd.DataFrame(more)]).groupby(["user_id", "arm", "day"], as_index=False).sum()


@pytest.mark.long
@pytest.mark.parametrize("each", [1, 10])
@pytest.mark.parametrize("n_users", [3000, *long([15_000, 60_000])])
def test_one_client_decides_no_trial_that_the_others_just_leave_undecided(n_users: int, each: int) -> None:
    people = simulate(np.random.default_rng(3), n_users)
    voices = math.ceil(people["user_id"].nunique() / 100) - 1

    def is_sure(number: int) -> bool:
        """Whether people alone, of whom so many more found something good, say which version is better."""
        standing = standings(with_good_lists(people, number, 1, 1), 0.05)[-1]
        return standing.difference > half_width(sum(standing.users), standing.standard_error, 0.05)

    unsure = with_good_lists(people, bisect_left(range(n_users // 3), True, key=is_sure) - 1, 1, 1)
    standing = standings(with_good_lists(unsure, voices, 1, each), 0.05)[-1]
    assert standing.low <= 0 < standing.difference - (standing.half - standing.bought)


@pytest.mark.long
def test_however_many_people_there_are_a_hundredth_of_good_lists_more_decides_nothing() -> None:
    n = 200_000
    people = pd.DataFrame({"user_id": range(2 * n), "day": 5, "lists": 2, "successes": 0}).assign(arm=0)
    people.loc[n:, "arm"] = 1
    people.loc[::10, "successes"] = 1
    bought = pd.DataFrame({"user_id": range(n, n + 2 * n // 100 - 1), "arm": 1, "day": 5, "lists": 1, "successes": 1})
    for more, decides in ((bought, False), (pd.concat([bought] * 2), True)):
        daily = pd.concat([people, more]).groupby(["user_id", "arm", "day"], as_index=False).sum()
        [standing] = standings(daily, 0.05)
        assert excludes_0(standing) == decides


@pytest.mark.parametrize(("more", "is_broken"), [(10_000, False), (16_000, True)])
def test_a_hundredth_of_the_users_who_chose_their_arm_break_no_trial(more: int, is_broken: bool) -> None:
    n = 1_000_000
    for challengers in (n // 2 + more // 2, n // 2 - more // 2):
        assert (ratio_p(n, challengers, 0.5) < 0.001) == is_broken


@pytest.mark.parametrize(
    ("users", "challengers", "share", "p"), [(0, 0, 0.5, 1), (10, 0, 0.5, 2 / 2**10), (4, 2, 0.5, 1)]
)
def test_the_sample_ratio_check_is_that_of_the_binomial_distribution(
    users: int, challengers: int, share: float, p: float
) -> None:
    assert ratio_p(users, challengers, share) == pytest.approx(p)


@pytest.mark.long
def test_looking_every_day_at_two_like_versions_is_hardly_ever_a_false_alarm() -> None:
    # benchmarks/trials.py counts 500 trials.
    runs = [standings(simulate(np.random.default_rng(seed), n_users=3000), 0.05) for seed in range(TRIALS)]
    assert sum(any(map(excludes_0, run)) for run in runs) <= 0.05 * TRIALS


@pytest.mark.long
def test_a_fifth_more_is_found_at_the_documented_size() -> None:
    runs = [standings(simulate(np.random.default_rng(seed), n_users=15_000, lift=0.2), 0.05) for seed in range(20)]
    found = [next((standing for standing in run if excludes_0(standing)), None) for run in runs]
    assert sum(standing is not None and standing.low > 0 for standing in found) >= 17
    assert not any(standing is not None and standing.high < 0 for standing in found)
