import numpy as np
import pandas as pd
import pytest

from training.metrics.bootstrap import confidence_interval
from training.params.register import GateParams
from training.promotion.checks import Check
from training.promotion.gate import LiveResult, Ruling, decide, paired_difference, paired_values

METRIC = "ndcg@10"
N_USERS = 300


def results(mean: float, seed: int = 0) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(0, 0.02, N_USERS)
    return pd.DataFrame({"user_id": np.arange(N_USERS), METRIC: mean + noise})


def ruling(candidate: float, popularity: float, live: LiveResult | None = None, **changes: float) -> Ruling:
    params = GateParams.model_validate({"confidence": 0.95, "min_gain": 0.0, "max_drop": 0.1, **changes})
    return decide(results(candidate, 1), results(popularity, 2), live, METRIC, params, seed=0)


def test_the_first_version_that_beats_popularity_is_promoted() -> None:
    decided = ruling(0.2, 0.1)
    assert decided.promote
    assert "there is no live version" in decided.reason


def test_nothing_is_promoted_that_does_not_beat_popularity() -> None:
    for candidate in (0.05, 0.1):
        decided = ruling(candidate, 0.1, LiveResult("3", 0.01, results(0.01, 3)))
        assert not decided.promote
        assert "does not beat popularity" in decided.reason


def test_the_gate_says_how_far_other_seeds_move_the_metric() -> None:
    decided = ruling(0.2, 0.1)
    trained = {"validation": {METRIC: 0.21}, "other_seeds": [0.2, 0.2123]}
    assert decided.with_chance(trained, METRIC).reason == (
        f"{decided.reason}; other seeds move {METRIC} by 0.0123 on validation"
    )
    assert decided.with_chance({"validation": {METRIC: 0.21}}, METRIC) is decided


def test_popularity_itself_is_not_promoted() -> None:
    same = results(0.1)
    params = GateParams(confidence=0.95, min_gain=0.0, max_drop=0.1)
    assert not decide(same, same, None, METRIC, params, seed=0).promote


def test_a_clear_gain_over_another_live_recipe_is_promoted() -> None:
    decided = ruling(0.25, 0.1, LiveResult("3", 0.2, results(0.2, 3)))
    assert decided.promote
    assert decided.reason.startswith("beats live version 3: +0.04")
    assert decided.figures["gain_over_live_low"] > 0


def test_a_gain_within_chance_is_not_promoted() -> None:
    decided = ruling(0.2001, 0.1, LiveResult("3", 0.2, results(0.2, 3)))
    assert not decided.promote
    assert decided.reason.startswith("does not beat live version 3")


def test_a_gain_must_exceed_min_gain() -> None:
    assert not ruling(0.25, 0.1, LiveResult("3", 0.2, results(0.2, 3)), min_gain=0.1).promote


def test_the_live_recipe_on_newer_data_needs_no_gain() -> None:
    assert ruling(0.19, 0.1, LiveResult("3", 0.2, None)).promote


def test_the_live_recipe_on_newer_data_must_not_collapse() -> None:
    decided = ruling(0.15, 0.1, LiveResult("3", 0.2, None))
    assert not decided.promote
    assert "below the floor 0.1800" in decided.reason


def test_only_users_of_both_are_compared() -> None:
    params = GateParams(confidence=0.95, min_gain=0.0, max_drop=0.1)
    strangers = results(0.1).assign(user_id=np.arange(N_USERS) + N_USERS)
    assert not decide(results(0.3), strangers, None, METRIC, params, seed=0).promote


def constant(value: float) -> pd.DataFrame:
    return pd.DataFrame({"user_id": np.arange(50), METRIC: value})


@pytest.mark.parametrize(("min_gain", "promoted"), [(0.25, False), (0.24, True)])
def test_a_gain_as_large_as_min_gain_is_not_enough(min_gain: float, promoted: bool) -> None:
    params = GateParams(confidence=0.95, min_gain=min_gain, max_drop=0.1)
    live = LiveResult("3", 0.25, constant(0.25))
    assert decide(constant(0.5), constant(0.125), live, METRIC, params, seed=0).promote is promoted


def test_the_live_recipe_may_lose_as_much_as_is_allowed() -> None:
    params = GateParams(confidence=0.95, min_gain=0.0, max_drop=0.5)
    live = LiveResult("3", 0.5, None)
    assert decide(constant(0.25), constant(0.125), live, METRIC, params, seed=0).promote


def test_a_difference_is_resampled_two_thousand_times_over_users_who_have_it_in_both() -> None:
    ours, theirs = results(0.3, 1), results(0.2, 2)
    ours.loc[:9, METRIC] = np.nan
    values = paired_values(ours, theirs, METRIC)
    assert len(values) == N_USERS - 10
    expected = confidence_interval(values[:, None], 2000, 0.9, np.random.default_rng(5))
    assert [paired_difference(ours, theirs, METRIC, 0.9, 5)] == expected


def test_opponents_have_their_mean_and_the_difference_where_there_is_one() -> None:
    figures = {"candidate": 0.3, "popularity": 0.1, "live": 0.25}
    lead = {"gain_over_popularity": 0.2, "gain_over_popularity_low": 0.15, "gain_over_popularity_high": 0.25}
    assert list(Ruling(True, "", figures | lead).opponents()) == [
        ("popularity", 0.1, "+0.2000 [+0.1500, +0.2500]"),
        ("live", 0.25, ""),
    ]
    assert [name for name, _, _ in Ruling(True, "", {"candidate": 0.3, "popularity": 0.1}).opponents()] == [
        "popularity"
    ]


def test_a_failed_check_keeps_a_version_from_being_promoted_and_says_why() -> None:
    good, bad, worse = Check("size", True, "as before"), Check("age", False, "too old"), Check("x", False, "too odd")
    won, lost = Ruling(True, "beats", {}), Ruling(False, "does not beat", {})
    assert won.after([good]) == Ruling(True, "beats", {}, (good,))
    assert won.after([good, bad, worse]) == Ruling(False, "beats; but too old; too odd", {}, (good, bad, worse))
    assert lost.after([bad]) == Ruling(False, "does not beat", {}, (bad,))
