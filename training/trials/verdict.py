"""Judges a trial: says in a word and a sentence which version people like better."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from app.contract.trial import Arm, Split
from training.params.register import TrialParams
from training.trials.attribution import AnyTrial, Observations
from training.trials.estimate import Estimate, estimate, ratio_p
from training.trials.records import DAY, Records, share_of
from training.trials.sequence import LEAST_SUCCESSES, LEAST_USERS, Standing, bought_users, standings, users_needed

BROKEN_BELOW = 0.001  # p of the sample-ratio check
MOST_MISPLACED = 0.01  # share of users
RATE_DAYS = 7  # from which the rate of new users is taken
LONGEST_DAYS = 365

Word = Literal["too_few", "broken", "undecided", "early", "better", "worse", "harmful"]
WORDS: tuple[Word, ...] = get_args(Word)


@dataclass(frozen=True)
class Verdict:
    """A word, a sentence, and what they rest on.

    `estimate` is None without users in both arms; `ratio_p` is p of the sample-ratio check. `days` are those since the
    trial began; `days_left` is how many more it needs at the present rate, None where that can't be said or is more
    than a year.
    """

    trial: AnyTrial
    word: Word
    sentence: str
    standings: list[Standing]
    estimate: Estimate | None
    ratio_p: float
    attribution: dict[str, int]
    days: float
    days_left: float | None

    @property
    def gain(self) -> tuple[float, float, float] | None:
        """The change in successes a list, as a share of the live version's, and its band; None if it can't be said."""
        last = self.standings[-1] if self.standings else None
        if last is None or self.word in ("broken", "too_few"):
            return None
        return last.difference / last.rates[0], last.low / last.rates[0], last.high / last.rates[0]


def judge(
    trial: AnyTrial, records: Records, observations: Observations, params: TrialParams, confidence: float, now: float
) -> Verdict:
    """Judge a trial at a time in seconds since 1970; the sequence decides, never the ordinary intervals."""
    users, seen = observations.users, standings(observations.daily, 1 - confidence)
    share = share_of(records.experiment) if records.experiment else trial.share
    arms = set(users["arm"])
    found = estimate(users, confidence) if arms == {Arm.PRODUCTION, Arm.CHALLENGER} else None
    p = ratio_p(len(users), int((users["arm"] == Arm.CHALLENGER).sum()), share)
    days = (now - trial.since) / DAY
    broken = _broken(records, observations, p)
    word, sentence = _judged(trial, seen, found, params, days, broken)
    left = _days_left(seen, 1 - confidence, params.days - days) if word in ("undecided", "early") else None
    return Verdict(trial, word, sentence, seen, found, p, observations.attribution, days, left)


def _judged(
    trial: Split, seen: list[Standing], found: Estimate | None, params: TrialParams, days: float, broken: str
) -> tuple[Word, str]:
    production, challenger = trial.sides
    if broken:
        return "broken", f"no verdict: {broken}"
    if not seen or math.isnan(seen[-1].half) or found is None:
        n = seen[-1].users if seen else (0, 0)
        return "too_few", (
            f"too little is known: {n[1]:,} users of {challenger} and {n[0]:,} of {production}; "
            f"it takes {LEAST_USERS} of each with {LEAST_SUCCESSES} successes"
        )
    last, text = seen[-1], _in_words(trial, seen[-1])
    if last.high < -params.max_loss * last.rates[0]:
        return "harmful", f"{challenger} surely loses too much: {text}"
    if last.low <= 0 <= last.high:
        return "undecided", f"no clear difference yet: {text}"
    if last.low > 0 and found.success.difference.high < bought_users(sum(last.users)) / min(last.users):
        return "undecided", f"more successes a list, but for fewer users: {text}"
    if days < params.days:
        return "early", f"it looks decided, but a trial takes {params.days} days: {text}"
    if last.low > 0:
        return "better", f"people like {challenger} better: {text}"
    return "worse", f"people like {challenger} less: {text}"


def _in_words(trial: Split, standing: Standing) -> str:
    """The rates of both arms, and the difference with its band as a share of production's rate."""
    production, challenger = standing.rates
    difference, low, high = (
        f"{value / production:+.1%}" for value in (standing.difference, standing.low, standing.high)
    )
    return (
        f"{100 * challenger:.2f} successes in 100 lists, after {100 * production:.2f} of {trial.sides[0]}, "
        f"{difference} [{low}, {high}], with {standing.users[1]:,} and {standing.users[0]:,} users"
    )


def _broken(records: Records, observations: Observations, ratio_p: float) -> str:
    """Why the two groups of users can't be compared; empty if nothing speaks against it."""
    if records.mixed:
        return "replicas split users by different shares: give all the same TRIAL_SHARE, or none"
    if observations.misplaced > MOST_MISPLACED:
        return (
            f"{observations.misplaced:.1%} of the users were in the arm that is not theirs: do all replicas run the "
            "same release?"
        )
    if ratio_p < BROKEN_BELOW:
        return (
            f"the arms have not the sizes that they should have (p = {ratio_p:.2g}), so something treats them "
            "differently: compare recommender_arm_lists_total of the replicas"
        )
    return ""


def _days_left(seen: list[Standing], alpha: float, least: float) -> float | None:
    """Days until a difference like the present one would be sure, but at least those that every trial takes."""
    last, before = seen[-1], seen[max(len(seen) - 1 - RATE_DAYS, 0)]
    rate = (sum(last.users) - sum(before.users)) / max(last.day - before.day, 1)
    n = sum(last.users)
    needed = users_needed(last, alpha, n + LONGEST_DAYS * rate)
    if needed is None:
        return None
    return max((needed - n) / rate if rate else 0.0, least, 0.0)
