"""No verdict can be bought: over many simulated trials, unsure, barely sure and clear ones."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest

from app.contract.trial import ARMS, Arm, Trial
from tests.training.trials.simulation import FIRST_DAY, simulate
from training.params.register import TrialParams
from training.trials.attribution import Observations
from training.trials.records import DAY, Records
from training.trials.sequence import VOICES
from training.trials.verdict import Verdict, judge

PEOPLE, DAYS = 3000, 20
TRIAL = Trial("7", "5", "nobody knows it", 0.5, FIRST_DAY * DAY)
PARAMS = TrialParams(share=0.5, days=14, success=("like",), max_loss=0.05)
NOTHING = Records(TRIAL.experiment, pd.DataFrame(), pd.DataFrame(), mixed=False)
# The true gain and the seed of each; most are near an end of the band.
NEAR = [
    (0.0, 0),
    (-0.5, 0),
    (-0.42, 0),
    (-0.4, 0),
    (-0.38, 0),
    (-0.36, 0),
    (0.48, 1),
    (0.52, 1),
    (0.54, 1),
    (0.58, 1),
    (0.7, 1),
]
MANY = [(-0.8 + number % 9 / 5, number) for number in range(10, 100)]
EACH = [(1, 1), (1, 0), (10, 10)]  # lists and successes of each user in whose name the client asks
LOSS = -PARAMS.max_loss


def judged(daily: pd.DataFrame) -> Verdict:
    return judge(TRIAL, NOTHING, Observations(daily, {}, 0.0), PARAMS, 0.95, (FIRST_DAY + DAYS) * DAY)


@cache
def honest(lift: float, seed: int) -> tuple[pd.DataFrame, Verdict]:
    """What people did, and the verdict of people alone."""
    daily = simulate(np.random.default_rng(seed), PEOPLE, DAYS, TRIAL.share, lift)
    return daily, judged(daily)


def attacked(daily: pd.DataFrame, arm: Arm, lists: int, successes: int) -> Verdict:
    """The verdict once a client has sent as many requests as it may, less than one for every hundredth person."""
    people = daily["user_id"].nunique()
    users = (people - 1) // VOICES // lists
    more = {"arm": int(arm), "day": FIRST_DAY + DAYS - 1, "lists": lists, "successes": successes}
    return judged(pd.concat([daily, pd.DataFrame({"user_id": PEOPLE + np.arange(users), **more})], ignore_index=True))


def outcomes(trials: Sequence[tuple[float, int]]) -> Iterator[tuple[Verdict, Verdict]]:
    """The verdicts without the client, and with it."""
    for (lift, seed), arm, (lists, successes) in product(trials, ARMS, EACH):
        daily, alone = honest(lift, seed)
        yield alone, attacked(daily, arm, lists, successes)


def said_by_people(alone: Verdict) -> set[str]:
    """The verdicts that people alone support by 95 %: by the band of chance, without what is added for one client."""
    last = alone.standings[-1]
    low, high = last.low + last.bought, last.high - last.bought
    words = {"better": low > 0, "worse": high < 0, "harmful": high < LOSS * last.rates[0]}
    return {word for word, is_sure in words.items() if is_sure}


@pytest.mark.long
@pytest.mark.parametrize("trials", [NEAR, MANY], ids=["near", "many"])
def test_fewer_requests_than_a_hundredth_of_the_people_buy_no_verdict_and_take_no_clear_one_away(
    trials: Sequence[tuple[float, int]],
) -> None:
    seen = Counter[tuple[str, bool]]()
    for alone, after in outcomes(trials):
        last = alone.standings[-1]
        clear_by = max(last.low, LOSS * last.rates[0] - last.high)
        seen[alone.word, clear_by > 2 * last.bought] += 1
        assert after.word in said_by_people(alone) | {"undecided"}, (alone, after)
        if clear_by > 2 * last.bought:
            assert after.word == alone.word
    assert {("better", True), ("harmful", True), ("undecided", False)} <= seen.keys()
    assert trials is MANY or {("better", False), ("harmful", False)} <= seen.keys()


@pytest.mark.parametrize("requests", [1, 10, 24])
def test_a_request_moves_the_difference_by_no_more_than_a_good_list(requests: int) -> None:
    daily, alone = honest(0.0, 1)
    before = alone.standings[-1]
    for arm, successes in product(ARMS, (0, 1)):
        more = {"arm": int(arm), "day": FIRST_DAY + DAYS - 1, "lists": 1, "successes": successes}
        bought = pd.DataFrame({"user_id": PEOPLE + np.arange(requests), **more})
        after = judged(pd.concat([daily, bought], ignore_index=True)).standings[-1]
        assert abs(after.difference - before.difference) <= before.bought * requests / (sum(before.users) // VOICES)
