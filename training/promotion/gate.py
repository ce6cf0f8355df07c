"""The gate decides whether a candidate's recipe may replace the live one. It is a pure function of results per user.

Recipes are compared on one split, never two served models: those have seen the test interactions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.data.dataset import USER_ID
from training.metrics.bootstrap import Interval, confidence_interval
from training.params.register import GateParams
from training.promotion.checks import Check

RESAMPLES = 2000


@dataclass(frozen=True)
class LiveResult:
    """The live version's results for the gate.

    `users`: its recipe's results per user on the candidate's split, or None where the recipe is the
    candidate's own. `last_result`: the mean it was registered with.
    """

    version: str
    last_result: float
    users: pd.DataFrame | None


@dataclass(frozen=True)
class LiveRecipe:
    """The live version's recipe on the present split: its results per user, or the obstacle to them.

    `candidate` names the candidate that has the same recipe, if any; `last_result` is the mean that the version was
    registered with.
    """

    version: str
    candidate: str | None = None
    last_result: float | None = None
    users: pd.DataFrame | None = None
    obstacle: str = ""

    def result(self, candidate: str, metric: str) -> LiveResult:
        """What the gate compares with this candidate; there is no obstacle."""
        if self.candidate == candidate and self.last_result is not None:
            return LiveResult(self.version, self.last_result, None)
        assert self.users is not None  # noqa: S101 - else there is an obstacle
        return LiveResult(self.version, float(self.users[metric].mean()), self.users)


@dataclass(frozen=True)
class Ruling:
    """A decision to promote or not, its reason, the figures behind it, and the checks of data and lists."""

    promote: bool
    reason: str
    figures: dict[str, float]
    checks: tuple[Check, ...] = ()

    def opponents(self) -> Iterator[tuple[str, float, str]]:
        """Each opponent with its mean, and the difference to it as a text, empty where there is none."""
        for opponent, gain in (("popularity", "gain_over_popularity"), ("live", "gain_over_live")):
            if opponent in self.figures:
                ends = (self.figures.get(f"{gain}{end}") for end in ("", "_low", "_high"))
                known = [end for end in ends if end is not None]
                yield opponent, self.figures[opponent], f"{Interval(*known):+.4f}" if known else ""

    def with_chance(self, trained: Mapping[str, Any], metric: str) -> "Ruling":
        """The decision with how far other seeds move the metric, where the training has tried some."""
        others = trained.get("other_seeds")
        if not others:
            return self
        values = [trained["validation"][metric], *others]
        moved = f"other seeds move {metric} by {max(values) - min(values):.4f} on validation"
        return replace(self, reason=f"{self.reason}; {moved}")

    def after(self, checks: Sequence[Check]) -> "Ruling":
        """The decision after the checks: one that fails keeps the version from being promoted."""
        failed = "; ".join(check.sentence for check in checks if not check.passed)
        ruling = replace(self, checks=tuple(checks))
        return (
            replace(ruling, promote=False, reason=f"{self.reason}; but {failed}") if self.promote and failed else ruling
        )


def decide(
    candidate: pd.DataFrame,
    popularity: pd.DataFrame,
    live: LiveResult | None,
    metric: str,
    params: GateParams,
    seed: int,
    alone: str = "there is no live version",
) -> Ruling:
    """Decide by results per user: tables of `user_id` and `metric` over the test users of one split.

    The candidate must beat popularity: the lower end of the paired difference's confidence interval above 0.
    Against another live recipe that end must exceed `min_gain`; the same recipe, fitted to newer data, may
    lose at most the share `max_drop` of its last result. `alone` says why there is no live recipe to compare with.
    """
    figures = {"candidate": float(candidate[metric].mean()), "popularity": float(popularity[metric].mean())}
    lead = paired_difference(candidate, popularity, metric, params.confidence, seed)
    figures |= _named("gain_over_popularity", lead)
    if lead.low <= 0:
        return Ruling(False, f"does not beat popularity: {lead:+.4f} in {metric}", figures)
    if live is None:
        return Ruling(True, f"beats popularity by {lead:+.4f} in {metric}; {alone}", figures)
    if live.users is None:
        return _same_recipe(live, figures, metric, params)
    gain = paired_difference(candidate, live.users, metric, params.confidence, seed)
    figures |= {"live": float(live.users[metric].mean())} | _named("gain_over_live", gain)
    promote = gain.low > params.min_gain
    verb = "beats" if promote else "does not beat"
    return Ruling(promote, f"{verb} live version {live.version}: {gain:+.4f} in {metric}", figures)


def paired_difference(ours: pd.DataFrame, theirs: pd.DataFrame, metric: str, confidence: float, seed: int) -> Interval:
    """Compute the mean difference of the metric over the users in both tables, with its bootstrap interval."""
    differences = paired_values(ours, theirs, metric)
    if not len(differences):
        return Interval(0.0, 0.0, 0.0)
    return confidence_interval(differences[:, None], RESAMPLES, confidence, np.random.default_rng(seed))[0]


def paired_values(ours: pd.DataFrame, theirs: pd.DataFrame, metric: str) -> npt.NDArray[np.float64]:
    """Compute the difference of the metric for each user who has it in both tables: float64 (n_users,)."""
    pairs = ours[[USER_ID, metric]].merge(theirs[[USER_ID, metric]], on=USER_ID, suffixes=("_ours", "_theirs"))
    pairs = pairs.dropna()
    return (pairs[f"{metric}_ours"] - pairs[f"{metric}_theirs"]).to_numpy(dtype=np.float64)


def _same_recipe(live: LiveResult, figures: dict[str, float], metric: str, params: GateParams) -> Ruling:
    figures = figures | {"live": live.last_result}
    now, floor = figures["candidate"], live.last_result * (1 - params.max_drop)
    change = f"the recipe of live version {live.version} again: {metric} {now:.4f} after {live.last_result:.4f}"
    return Ruling(now >= floor, change if now >= floor else f"{change}, below the floor {floor:.4f}", figures)


def _named(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
