"""The figures of a trial as it stands, with ordinary intervals, and the check that users were split as intended."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from scipy.stats import t as student_t

from app.contract.trial import Arm
from training.metrics.bootstrap import Interval
from training.metrics.ratio import Ratio
from training.trials.sequence import bought_users


@dataclass(frozen=True)
class Compared:
    """A figure of both arms, and the difference of the challenger's, absolute and as a share of the other's."""

    production: float
    challenger: float
    difference: Interval
    relative: Interval


@dataclass(frozen=True)
class Estimate:
    """The share of users with a success, and successes a list.

    The intervals hold for one look at an end that was set beforehand.
    """

    success: Compared
    per_list: Compared


def ratio_p(users: int, challengers: int, share: float) -> float:
    """The probability of arms at least as unequal, had each user been in the challenger's with probability `share`.

    A hundredth of the users is taken as chosen by somebody who knows the arms, so that they alone break no trial.
    """
    chosen = bought_users(users)
    others = users - chosen
    likeliest = min(max(round(share * others), challengers - chosen), challengers)
    return float(binomtest(likeliest, others, share).pvalue) if users else 1.0


def estimate(users: pd.DataFrame, confidence: float) -> Estimate:
    """Estimate from the users of `Observations`, each of whom counts as one, whatever number of lists they got."""
    arms = [users[users["arm"] == arm] for arm in (Arm.PRODUCTION, Arm.CHALLENGER)]
    with_success = [Ratio.of((arm["successes"] > 0).to_numpy(), np.ones(len(arm))) for arm in arms]
    per_list = [Ratio.of(arm["successes"].to_numpy(), arm["lists"].to_numpy()) for arm in arms]
    return Estimate(_compared(with_success, confidence), _compared(per_list, confidence))


def _compared(arms: list[Ratio], confidence: float) -> Compared:
    """Compare by Welch's t-test, and shares by that of the logarithms, whose variance the delta method gives."""
    production, challenger = arms
    relative = Interval(math.nan, math.nan, math.nan)
    if production.value > 0 and challenger.value > 0:
        logs = _difference(production.log(), challenger.log(), confidence)
        relative = Interval(math.expm1(logs.mean), math.expm1(logs.low), math.expm1(logs.high))
    return Compared(production.value, challenger.value, _difference(production, challenger, confidence), relative)


def _difference(production: Ratio, challenger: Ratio, confidence: float) -> Interval:
    mean, variance = challenger.value - production.value, production.variance + challenger.variance
    if not variance > 0:
        return Interval(mean, mean, mean)
    freedom = variance**2 / sum(arm.variance**2 / (arm.n - 1) for arm in (production, challenger))
    half = float(student_t.ppf((1 + confidence) / 2, freedom)) * math.sqrt(variance)
    return Interval(mean, mean - half, mean + half)
