"""How often people click and like what they are shown, each way that lists can be told apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.metrics.bootstrap import Interval
from training.metrics.ratio import Ratio
from training.pleased.shown import (
    ANSWERED,
    CLICKED,
    ITEM,
    LIKED,
    PLACEMENT,
    RANK,
    SHARE,
    SHOWN_ON,
    SOURCE,
    VERSION,
    Shown,
)
from training.trials.attribution import LIST
from training.trials.records import USER

SEGMENT, FILMS, NEW = "people", "films", "new"
ALL = "all"
DAILY = "day and version"
DIMENSIONS = (ALL, VERSION, PLACEMENT, SOURCE, RANK, SHOWN_ON, DAILY, SEGMENT, FILMS)
COUNTS = ["lists", "shown", "clicks", "successes", "good"]
UNKNOWN = "unknown"


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


@dataclass(frozen=True)
class Known:
    """What training knows: the segment of each user with ratings, how many items there are, and those with ratings."""

    segments: Mapping[str, str]
    n_items: int
    rated: frozenset[str]


def figures(shown: Shown, known: Known, confidence: float, dimensions: Sequence[str] = DIMENSIONS) -> list[Figure]:
    """Compute the figures of all groups of these dimensions, in the order of groups."""
    rows, found = _rows(shown, known), []
    for dimension in dimensions:
        counts = _of_users(rows, dimension)
        found += [_figure(dimension, group, each, confidence) for group, each in counts.groupby(dimension)]
    return found


def varieties(shown: Shown, known: Known) -> list[Variety]:
    """How varied what each version showed on screens was; a sample of lists doesn't tell."""
    rows = _rows(shown, known)
    rows = rows[~rows[ANSWERED]]
    again = rows.duplicated([USER, ITEM])
    return [
        Variety(
            str(version),
            each[ITEM].nunique() / max(known.n_items, 1),
            float(again[each.index].mean()),
            float((each[FILMS] == NEW).mean()),
        )
        for version, each in rows.groupby(VERSION)
    ]


def differences(shown: Shown, confidence: float) -> list[Difference]:
    """Compare each version with the one that showed most."""
    counts = _of_users(_rows(shown, Known({}, 0, frozenset())), VERSION).set_index(USER)
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


def _rows(shown: Shown, known: Known) -> pd.DataFrame:
    """What was shown, with the group that each row belongs to."""
    rows = shown.items.copy()
    rows[ALL], rows[SEGMENT] = ALL, [known.segments.get(user, NEW) for user in rows[USER]]
    rows[DAILY] = rows[SHOWN_ON] + " " + rows[VERSION]
    rows[FILMS] = rows[ITEM].isin(known.rated).map({True: "rated", False: NEW})
    return rows


def _of_users(items: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """Count for each user and group; a list of a sample stands for as many as its share says."""
    keys, weight = [USER, dimension], 1 / items[SHARE].astype(float)
    counted = {"shown": weight, "clicks": weight * items[CLICKED], "successes": weight * items[LIKED]}
    items = items.fillna({dimension: UNKNOWN}).assign(**counted)
    lists = items.groupby([*keys, LIST]).agg(share=(SHARE, "first"), good=(LIKED, "max"))
    of_lists = pd.DataFrame(
        {"lists": 1 / lists[SHARE].astype(float), "good": lists["good"] / lists[SHARE].astype(float)}
    )
    return items.groupby(keys)[[*counted]].sum().join(of_lists.groupby(keys).sum()).reset_index()


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
