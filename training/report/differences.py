"""Paired differences of candidates to popularity and to the live version, with their significance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from training.metrics.bootstrap import Interval
from training.metrics.significance import holm, paired_p_value
from training.promotion.gate import paired_difference, paired_values


@dataclass(frozen=True)
class Opponent:
    """A recipe that all candidates are compared with; `candidate` names the one that has the same recipe, if any."""

    name: str
    users: pd.DataFrame
    candidate: str | None


@dataclass(frozen=True)
class Difference:
    """A candidate's mean less its opponent's, over the same users; `p` is adjusted for all differences of the run."""

    candidate: str
    opponent: str
    interval: Interval
    p: float
    confidence: float

    @property
    def meaning(self) -> str:
        """The result in words."""
        if self.interval.low <= 0 <= self.interval.high:
            return "no clear difference"
        direction = "better" if self.interval.mean > 0 else "worse"
        certain = self.p < 1 - self.confidence
        return direction if certain else f"{direction}, but not after correction"


def differences(
    users: Mapping[str, pd.DataFrame], opponents: Sequence[Opponent], metric: str, confidence: float, seed: int
) -> list[Difference]:
    """Compare every candidate with every opponent but itself: the gate's bootstrap intervals, and p after Holm."""
    pairs = [
        Difference(
            candidate,
            opponent.name,
            paired_difference(table, opponent.users, metric, confidence, seed),
            paired_p_value(paired_values(table, opponent.users, metric)),
            confidence,
        )
        for opponent in opponents
        for candidate, table in users.items()
        if candidate != opponent.candidate
    ]
    adjusted = holm([difference.p for difference in pairs])
    return [replace(difference, p=p) for difference, p in zip(pairs, adjusted, strict=True)]
