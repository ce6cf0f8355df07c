"""The figures of a trial as it stands, with ordinary intervals, and the check that users were split as intended."""

from dataclasses import dataclass

import pandas as pd
import tea_tasting
from scipy.stats import binomtest

from app.contract.trial import Arm
from training.metrics.bootstrap import Interval
from training.trials.sequence import VOICES


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
    chosen = users // VOICES
    others = users - chosen
    likeliest = min(max(round(share * others), challengers - chosen), challengers)
    return float(binomtest(likeliest, others, share).pvalue) if users else 1.0


def estimate(users: pd.DataFrame, confidence: float) -> Estimate:
    """Estimate from the users of `Observations`.

    tea-tasting computes the difference of two means by Welch's t-test, that of two ratios of means by the delta method
    (Deng, Knoblich and Lu, Applying the delta method in metric analytics, 2018), relative ones by the delta method too.
    """
    data = users.assign(success=(users["successes"] > 0).astype(float)).astype({"successes": float, "lists": float})
    experiment = tea_tasting.Experiment(
        {
            "success": tea_tasting.Mean("success", confidence_level=confidence),
            "per_list": tea_tasting.RatioOfMeans("successes", "lists", confidence_level=confidence),
        },
        variant="arm",
    )
    result = experiment.analyze(data, control=int(Arm.PRODUCTION))
    return Estimate(_compared(result["success"]), _compared(result["per_list"]))


def _compared(found: "tea_tasting.metrics.MeanResult") -> Compared:
    return Compared(
        float(found.control),
        float(found.treatment),
        Interval(float(found.effect_size), float(found.effect_size_ci_lower), float(found.effect_size_ci_upper)),
        Interval(
            float(found.rel_effect_size),
            float(found.rel_effect_size_ci_lower),
            float(found.rel_effect_size_ci_upper),
        ),
    )
