"""What another choice of items would have brought, from lists whose items were chosen with known odds.

Each observation is one choice: what it brought, with which probability the policy that chose took this item (the odds
in the record), and with which probability the other policy takes it. Users count as one each: their choices are not
independent.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from training.metrics.bootstrap import Interval
from training.metrics.ratio import Ratio

LEAST_EFFECTIVE = 100.0  # choices; below, the interval's approximation is no good
MOST_OF_ONE = 0.05  # share of all weight that one choice may have
MOST_ROBOTS = 0.01  # share of users
LEAST_SUPPORT = 0.99  # of what the other policy takes, the share that was taken with a probability above 0

Floats = npt.NDArray[np.float64]


class SupportError(Exception):
    """The recorded odds don't tell what the other policy would bring; the message says what would be needed."""


@dataclass(frozen=True)
class Choices:
    """Choices of users: all float64 (n,), but `users`, int64 (n,), which numbers them from 0.

    `reward` is what the item brought, `odds` its recorded probability, and `target` that of the other policy.
    `expected` is what a model of rewards expects of the item that was taken, and `expected_of_target` of what the
    other policy takes; both all 0 where there is no such model. The model must not have learned from these rewards.
    """

    users: npt.NDArray[np.int64]
    reward: Floats
    odds: Floats
    target: Floats
    expected: Floats
    expected_of_target: Floats


@dataclass(frozen=True)
class Replay:
    """What the other policy would have brought a choice, by two estimators, and what that rests on.

    `effective` is the number of choices of the other policy itself that would tell as much.
    """

    snips: Interval
    doubly_robust: Interval
    effective: float
    choices: int


def without_robots(choices: Choices) -> tuple[Choices, int]:
    """Leave out users who alone have too much of all weight, if they are one in a hundred at most; and their number.

    Odds are as a client sent them: by tiny ones a single user would decide the estimate, or make it refused.
    """
    weights, users = _weights(choices), choices.users
    of_user = _sums(users, weights)
    heavy = np.zeros(len(of_user), dtype=np.bool_)
    while (more := ~heavy & (of_user > MOST_OF_ONE * of_user[~heavy].sum())).any():
        heavy |= more
    if not heavy.any() or heavy.sum() > MOST_ROBOTS * len(np.unique(users)):
        return choices, 0
    kept = Choices(*(value[~heavy[users]] for value in vars(choices).values()))
    return replace(kept, users=np.unique(kept.users, return_inverse=True)[1]), int(heavy.sum())


def replay(choices: Choices, confidence: float) -> Replay:
    """Estimate by SNIPS and doubly robust; raises SupportError where the odds don't support it.

    SNIPS: sum w r / sum w with w = target / odds. Source: Swaminathan and Joachims, The self-normalized estimator for
    counterfactual learning (2015). Doubly robust: mean of e(target) + w (r - e(taken)), with the weights divided by
    their mean, as Open Bandit Pipeline's SelfNormalizedDoublyRobust. Source: Dudik, Langford and Li, Doubly robust
    policy evaluation and learning (2011). Intervals are those of the delta method over users.
    """
    weights = _weights(choices)
    effective = _checked(choices, weights)
    ones, residual = np.ones_like(weights), choices.reward - choices.expected
    snips = _ratio(choices.users, weights * choices.reward, weights)
    direct = _sums(choices.users, choices.expected_of_target), _sums(choices.users, ones)
    corrected = _sums(choices.users, weights * residual), _sums(choices.users, weights)
    return Replay(
        snips.interval(confidence), _sum_of_ratios(direct, corrected).interval(confidence), effective, len(weights)
    )


def effective_size(weights: Floats) -> float:
    """Kish's effective sample size: (sum w)² / sum w²."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _weights(choices: Choices) -> Floats:
    if not ((choices.odds > 0) & (choices.odds <= 1)).all():
        raise SupportError("some odds are not above 0 and up to 1: replay lists whose odds were recorded")
    weights: Floats = choices.target / choices.odds
    return weights


def _checked(choices: Choices, weights: Floats) -> float:
    effective, n = effective_size(weights), len(weights)
    if effective < LEAST_EFFECTIVE:
        more = "any" if not effective else f"about {math.ceil(n * LEAST_EFFECTIVE / effective):,}"
        raise SupportError(
            f"{n:,} choices tell as much as {effective:.0f} of the other version's own, and {LEAST_EFFECTIVE:.0f} are "
            f"needed: record {more} choices, or give exploration a larger share"
        )
    if (largest := float(weights.max() / weights.sum())) > MOST_OF_ONE:
        raise SupportError(
            f"one choice has {largest:.0%} of all weight, and {MOST_OF_ONE:.0%} is the most: what the other version "
            "shows was hardly ever shown; give exploration a larger share, or record for longer"
        )
    # The mean of weights is 1 where every item that the other policy takes could be taken.
    ratio = _ratio(choices.users, weights, np.ones_like(weights))
    if ratio.value + 4 * math.sqrt(ratio.variance) < LEAST_SUPPORT:
        raise SupportError(
            f"only {ratio.value:.0%} of what the other version shows could have been shown at all: let exploration "
            "choose among all items of both versions"
        )
    return effective


def _sums(users: npt.NDArray[np.int64], values: Floats) -> Floats:
    return np.bincount(users, weights=values).astype(np.float64)


def _ratio(users: npt.NDArray[np.int64], above: Floats, below: Floats) -> Ratio:
    return Ratio.of(_sums(users, above), _sums(users, below))


def _sum_of_ratios(*ratios: tuple[Floats, Floats]) -> Ratio:
    """The sum of ratios over the same users, by the delta method."""
    values = [float(above.sum() / below.sum()) for above, below in ratios]
    parts = [(above - value * below) / below.mean() for value, (above, below) in zip(values, ratios, strict=True)]
    n = len(parts[0])
    return Ratio(sum(values), float(np.var(sum(parts), ddof=1) / n), n)
