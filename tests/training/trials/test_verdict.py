import math
import re

import numpy as np
import pandas as pd
import pytest
from prometheus_client import generate_latest

from app.contract.trial import Trial
from tests.training.trials.simulation import FIRST_DAY, simulate
from training.metrics.bootstrap import Interval
from training.params.register import TrialParams
from training.report.html import to_html
from training.report.page import Picture
from training.trials.attribution import Observations
from training.trials.estimate import Compared, Estimate
from training.trials.metrics import TrialMetrics
from training.trials.page import lay_out
from training.trials.records import Records
from training.trials.sequence import Standing, users_needed
from training.trials.verdict import WORDS, Verdict, _broken, _days_left, _judged, judge

DAY = 86_400
TRIAL = Trial("7", "5", "films:7", 0.5, FIRST_DAY * DAY)
PARAMS = TrialParams(share=0.5, days=14, success=("like",), max_loss=0.05)


def verdict(
    daily: pd.DataFrame, days: float = 28, *, mixed: bool = False, misplaced: float = 0.0, share: float = 0.5
) -> Verdict:
    records = Records(f"films:7@{share}", pd.DataFrame(), pd.DataFrame(), mixed)
    observations = Observations(daily, {"by the list's id": 3}, misplaced)
    return judge(TRIAL, records, observations, PARAMS, 0.95, (FIRST_DAY + days) * DAY)


def simulated(seed: int = 3, **fields: float) -> pd.DataFrame:
    return simulate(np.random.default_rng(seed), **fields)  # type: ignore[arg-type]


def test_a_better_challenger_is_said_to_be_better_with_the_figures() -> None:
    found = verdict(simulated(n_users=9000, lift=0.4))
    assert found.word == "better"
    assert found.sentence.startswith("people like version 7 better: ")
    standing = found.standings[-1]
    assert (
        f"{100 * standing.rates[1]:.2f} successes in 100 lists, after {100 * standing.rates[0]:.2f} of version 5"
        in (found.sentence)
    )
    assert f"with {standing.users[1]:,} and {standing.users[0]:,} users" in found.sentence
    assert found.days_left is None


def test_a_worse_one_is_dropped_at_once_only_if_it_surely_loses_more_than_is_allowed() -> None:
    much = verdict(simulated(n_users=9000, lift=-0.5), days=5)
    assert (much.word, much.sentence.partition(":")[0]) == ("harmful", "version 7 surely loses too much")
    little = simulated(n_users=60_000, lift=-0.12)
    assert verdict(little, days=5).word == "early"
    assert verdict(little).sentence.startswith("people like version 7 less: ")


def test_before_its_days_have_passed_nothing_is_decided() -> None:
    found = verdict(simulated(n_users=9000, lift=0.4), days=9)
    assert found.word == "early"
    assert found.sentence.startswith("it looks decided, but a trial takes 14 days: ")
    assert found.days_left == pytest.approx(5)


def test_two_alike_are_undecided_and_the_time_left_is_told_where_it_is_less_than_a_year() -> None:
    found = verdict(simulated(n_users=3000, lift=0.15, days=10), days=10)
    assert (found.word, found.sentence.partition(":")[0]) == ("undecided", "no clear difference yet")
    assert found.days_left is not None
    assert found.days_left >= 4
    alike = simulated(n_users=2000)
    mirrored = pd.concat([alike, alike.assign(arm=1 - alike["arm"], user_id=alike["user_id"] + 10**6)])
    assert verdict(mirrored).days_left is None


def test_more_successes_a_list_for_fewer_users_are_no_win() -> None:
    """Few users of the challenger find nearly everything, and the others nothing at all."""
    n = 4000
    arm = np.repeat([0, 1], n)
    happy = np.concatenate([np.arange(n) % 3 == 0, np.arange(n) % 5 == 0])
    successes = np.where(happy, np.where(arm == 1, 4, 1), 0)
    fields = {"user_id": np.arange(2 * n), "arm": arm, "day": FIRST_DAY, "lists": 5, "successes": successes}
    found = verdict(pd.DataFrame(fields))
    assert found.standings[-1].low > 0
    assert found.sentence.startswith("more successes a list, but for fewer users: ")


@pytest.mark.parametrize(
    ("challenger", "half", "success_high", "days", "word"),
    [
        (0.25, 0.125, 0.0, 14, "worse"),  # the band ends at the loss that is allowed, a quarter of 0.5
        (0.25, 0.12, 0.0, 14, "harmful"),
        (0.75, 0.25, 1.0, 14, "undecided"),  # the band ends at 0
        (0.75, 0.2, 0.02, 14, "better"),  # users with a success: the interval ends at what one client can move
        (0.75, 0.2, 0.019, 14, "undecided"),
        (0.75, 0.2, 1.0, 13.9, "early"),
    ],
)
def test_at_its_limits_a_word_is_the_careful_one(
    challenger: float, half: float, success_high: float, days: float, word: str
) -> None:
    standing = Standing(3, (500, 500), (0.5, challenger), 0.01, half)
    compared = Compared(0.5, 0.5, Interval(0, -1, success_high), Interval(0, 0, 0))
    params = PARAMS.model_copy(update={"max_loss": 0.25})
    assert _judged(TRIAL, [standing], Estimate(compared, compared), params, days, "")[0] == word


def test_what_is_no_more_than_allowed_breaks_nothing() -> None:
    records = Records("films:7@0.5", pd.DataFrame(), pd.DataFrame(), mixed=False)
    assert _broken(records, Observations(pd.DataFrame(), {}, 0.01), ratio_p=0.001) == ""


def seen(users: dict[int, int], rate: float = 0.2) -> list[Standing]:
    """Looks on these days, each with so many users in an arm, whose last band may or may not hold 0."""
    return [Standing(day, (n, n), (0.1, rate), 4 / math.sqrt(n), 0.0) for day, n in users.items()]


def needed(standings: list[Standing]) -> float:
    found = users_needed(standings[-1], 0.05, math.inf)
    assert found is not None
    return found - sum(standings[-1].users)


@pytest.mark.parametrize(
    ("users", "rate"),
    [
        ({0: 100, 1: 3000, **{2 + day: 3100 + 7 * day**2 for day in range(8)}}, 98),  # that of the last seven days
        ({0: 1000, 1: 1400, 2: 1500}, 500),  # of all days, where they are fewer
        ({0: 1000, 1: 1300}, 600),
        ({0: 1000, 4: 1400}, 200),  # nothing is known of days without lists
    ],
)
def test_the_time_left_follows_from_the_rate_of_new_users(users: dict[int, int], rate: float) -> None:
    standings = seen(users)
    assert needed(standings) > 0
    assert _days_left(standings, 0.05, least=0) == pytest.approx(needed(standings) / rate)
    assert _days_left(standings, 0.05, least=999) == 999


def test_what_takes_a_year_is_told_and_what_takes_longer_is_not() -> None:
    def left(days: float) -> float | None:
        rate = needed(seen({0: 2000})) / 2 / days
        last = seen({0: 2000})[-1]
        return _days_left([last._replace(day=-10_000, users=(round(2000 - 10_000 * rate),) * 2), last], 0.05, least=0)

    assert left(364.8) == pytest.approx(364.8, rel=1e-3)
    assert left(365.2) is None


@pytest.mark.parametrize(("least", "left"), [(0.5, 0.5), (-3, 0)])
def test_on_the_first_day_only_the_days_that_every_trial_takes_are_left(least: float, left: float) -> None:
    sure = seen({0: 10_000}, rate=0.9)
    assert _days_left(sure, 0.05, least) == left


@pytest.mark.parametrize(
    ("daily", "fields", "reason"),
    [
        (simulated(n_users=9000, lift=0.4, lost=0.15), {}, r"have not the sizes that they should have \(p = "),
        (simulated(n_users=9000, lift=0.4), {"share": 0.6}, "have not the sizes that they should have"),
        (simulated(n_users=9000, lift=0.4), {"mixed": True}, "replicas split users by different shares"),
        (simulated(n_users=9000, lift=0.4), {"misplaced": 0.02}, r"2.0% of the users were in the arm that is not th"),
    ],
)
def test_a_broken_split_gets_no_verdict(daily: pd.DataFrame, fields: dict[str, float], reason: str) -> None:
    found = verdict(daily, **fields)  # type: ignore[arg-type]
    assert found.word == "broken"
    with pytest.raises(AssertionError, match=f"^no verdict: .*{reason}"):
        raise AssertionError(found.sentence)


@pytest.mark.parametrize("n_users", [0, 1, 50])
def test_a_few_users_are_too_few(n_users: int) -> None:
    found = verdict(simulated(n_users=n_users))
    assert (found.word, found.sentence.partition(":")[0]) == ("too_few", "too little is known")
    for one in (found, verdict(simulated(n_users=6).query("arm == 1"))):
        assert one.word == "too_few"
        assert "Too little is known for a band." in to_html(lay_out(one, 0.95, 0))


def test_how_many_users_there_are_now_is_told_where_they_are_too_few() -> None:
    few = [Standing(day, users, (0.0, 0.0), 0.0, math.nan) for day, users in ((0, (70, 50)), (1, (2900, 80)))]
    assert _judged(TRIAL, few, None, PARAMS, 1, "") == (
        "too_few",
        "too little is known: 80 users of version 7 and 2,900 of version 5; it takes 100 of each with 20 successes",
    )
    assert "0 users of version 7 and 0 of version 5" in _judged(TRIAL, [], None, PARAMS, 1, "")[1]


@pytest.mark.parametrize("arm", [0, 1])
def test_an_arm_without_anybody_is_broken_once_that_is_no_accident(arm: int) -> None:
    assert verdict(simulated(n_users=100).query(f"arm == {arm}")).word == "broken"


@pytest.mark.parametrize(("arm", "word"), [(0, "too_few"), (1, "broken")])
def test_the_smaller_arm_may_stay_empty_for_longer(arm: int, word: str) -> None:
    assert verdict(simulated(n_users=60).query(f"arm == {arm}").head(30), share=0.1).word == word


def test_the_page_shows_figures_and_the_band_day_by_day() -> None:
    page = lay_out(found := verdict(simulated(n_users=9000, lift=0.4)), 0.95, TRIAL.since)
    assert page.title == "Trial of version 7 against version 5"
    assert [each.png[:4] for part in page.sections for each in part.parts if isinstance(each, Picture)] == [b"\x89PNG"]
    text = to_html(page)
    assert "successes in 100 lists" in text
    assert found.sentence.replace("'", "&#39;") in text
    assert "The challenger wins: promote it. " in text
    assert found.estimate is not None
    assert f"{100 * found.estimate.success.challenger:.2f}" in text


def metrics(state: TrialMetrics) -> dict[str, float]:
    lines = generate_latest(state.collectors).decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if line.startswith("recommender_trial_"))
    bare = {name.removeprefix("recommender_trial_"): float(value) for name, value in samples}
    return {re.sub(r',?placement="",?', "", name).removesuffix("{}"): value for name, value in bare.items()}


def test_prometheus_sees_the_verdict_and_its_figures_and_that_no_trial_runs() -> None:
    exported = TrialMetrics()
    exported.show([found := verdict(simulated(n_users=9000, lift=0.4))])
    shown, standing = metrics(exported), found.standings[-1]
    assert {word: shown[f'verdict{{verdict="{word}"}}'] for word in WORDS} == {
        word: float(word == "better") for word in WORDS
    }
    assert shown["running"] == 1
    assert shown['users{arm="challenger"}'] == standing.users[1]
    assert shown['successes_per_list{arm="production"}'] == standing.rates[0]
    assert shown['relative_difference{end="low"}'] == pytest.approx(standing.low / standing.rates[0])
    assert 0 < shown['sample_ratio_p{trial="7"}'] <= 1
    assert found.estimate is not None
    shares = found.estimate.success
    assert [shown[f'success_share{{arm="{arm}"}}'] for arm in ("production", "challenger")] == [
        shares.production, shares.challenger,
    ]  # fmt: skip
    assert shown['relative_difference{end="value"}'] == pytest.approx(standing.difference / standing.rates[0])
    assert shown['relative_difference{end="high"}'] == pytest.approx(standing.high / standing.rates[0])
    assert "days_left" not in str(shown)
    exported.show([verdict(simulated(n_users=9000, lift=0.4), days=9)])
    assert metrics(exported)['days_left{trial="7"}'] == pytest.approx(5)
    exported.show([])
    shown = metrics(exported)
    assert (shown["running"], shown['verdict{verdict="better"}']) == (0, 0)
    assert not [name for name in shown if name.startswith(("users", "days_left", "relative_difference", "success_"))]
    assert not math.isnan(shown["last_look_timestamp_seconds"])
