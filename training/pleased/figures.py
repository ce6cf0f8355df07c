"""How often people click and like what they are shown, each way that lists can be told apart."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.metrics.bootstrap import Interval
from training.metrics.ratio import Ratio
from training.pleased.shown import VERSION
from training.pleased.totals import COUNTS, Totals
from training.trials.records import USER


@dataclass(frozen=True)
class Figure:
    """What became of the lists of one group: counts, and rates with intervals in which each user counts as one.

    `click_rate` and `success_rate` are those of shown items, `good_lists` the share of lists with a success. Of a
    sample of lists, counts are what all lists would have, but for `people`.
    """

    dimension: str
    group: str
    people: int
    lists: int
    shown: int
    clicks: int
    successes: int
    click_rate: Interval
    success_rate: Interval
    good_lists: Interval


@dataclass(frozen=True)
class Variety:
    """How much of the catalogue a version showed, and which share of shown items is old or new to whom.

    `repeated` counts what its user had been shown before, `fresh` items that nobody has rated in the data of training.
    """

    version: str
    coverage: float
    repeated: float
    fresh: float


@dataclass(frozen=True)
class Difference:
    """How much more of what a version showed was a success than of what the version showed that showed most."""

    version: str
    against: str
    success_rate: Interval


def figures(totals: Totals, confidence: float) -> list[Figure]:
    """Compute the figures of all groups of these sums, in the order of dimensions and groups."""
    return [
        _figure(dimension, group, each, confidence)
        for dimension, counts in totals.of.items()
        for group, each in counts.groupby(dimension)
    ]


def varieties(totals: Totals, n_items: int) -> list[Variety]:
    """How varied what each version showed on screens was; a sample of lists doesn't tell."""
    shares = totals.varied.div(totals.varied["shown"], axis="index")
    return [
        Variety(version, len(totals.items[version]) / max(n_items, 1), float(repeated), float(fresh))
        for version, repeated, fresh in zip(shares.index, shares["repeated"], shares["fresh"], strict=True)
    ]


def differences(totals: Totals, confidence: float) -> list[Difference]:
    """Compare each version with the one that showed most."""
    counts = totals.of[VERSION].set_index(USER)
    of_version = {str(version): each[["successes", "shown"]] for version, each in counts.groupby(VERSION)}
    [most, *others] = sorted(of_version, key=lambda each: (-of_version[each]["shown"].sum(), each))
    return [Difference(each, most, _difference(of_version[each], of_version[most], confidence)) for each in others]


def _difference(ours: pd.DataFrame, theirs: pd.DataFrame, confidence: float) -> Interval:
    """The difference of two rates of users, some of whom may have seen both, by the delta method."""
    users = ours.index.union(theirs.index)
    value, moves = 0.0, np.zeros(len(users))
    for side, sign in ((ours, 1), (theirs, -1)):
        above, below = side.reindex(users, fill_value=0).to_numpy(np.float64).T
        rate = above.sum() / below.sum()
        value, moves = value + sign * rate, moves + sign * (above - rate * below) / below.mean()
    spread = float(np.var(moves, ddof=1) / len(users)) if len(users) > 1 else math.nan
    return Ratio(float(value), spread, len(users)).interval(confidence)


def _figure(dimension: str, group: object, users: pd.DataFrame, confidence: float) -> Figure:
    sums = {name: round(float(users[name].sum())) for name in COUNTS}

    def rate(above: str, below: str) -> Interval:
        return Ratio.of(users[above].to_numpy(), users[below].to_numpy()).interval(confidence)

    return Figure(
        dimension,
        str(group),
        len(users),
        sums["lists"],
        sums["shown"],
        sums["clicks"],
        sums["successes"],
        rate("clicks", "shown"),
        rate("successes", "shown"),
        rate("good", "lists"),
    )
