"""How often people click and like what they are shown, each way that lists can be told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from training.metrics.bootstrap import Interval
from training.metrics.ratio import Ratio
from training.pleased.shown import CLICKED, ITEM, LIKED, PLACEMENT, RANK, SHOWN_ON, SOURCE, VERSION, Shown
from training.trials.attribution import LIST
from training.trials.records import USER

SEGMENT, FILMS = "people", "films"
ALL = "all"
DIMENSIONS = (ALL, VERSION, PLACEMENT, SOURCE, RANK, SHOWN_ON, SEGMENT, FILMS)
OF_LISTS = (ALL, VERSION, SHOWN_ON, SEGMENT)  # where nothing is known of items
COUNTS = ["lists", "shown", "clicks", "successes", "good"]
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Figure:
    """What became of the lists of one group: counts, and rates with intervals in which each user counts as one.

    `click_rate` and `success_rate` are those of shown items, `good_lists` the share of lists with a success.
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
    """How much of the catalogue a version showed, and which share of shown items their user had been shown before."""

    version: str
    coverage: float
    repeated: float


@dataclass(frozen=True)
class Known:
    """What training knows: the segment of each user with ratings, how many items there are, and those with ratings."""

    segments: Mapping[str, str]
    n_items: int
    rated: frozenset[str]


def figures(shown: Shown, known: Known, confidence: float, dimensions: Sequence[str] = DIMENSIONS) -> list[Figure]:
    """Compute the figures of all groups of these dimensions, in the order of groups."""
    lists = shown.items.empty
    rows = shown.lists if lists else shown.items
    rows = rows.copy()
    rows[ALL], rows[SEGMENT] = ALL, rows[USER].map(dict(known.segments)).fillna("new")
    if not lists:
        rows[FILMS] = rows[ITEM].isin(known.rated).map({True: "rated", False: "new"})
    found = []
    for dimension in [each for each in dimensions if not lists or each in OF_LISTS]:
        counts = _of_lists(rows, dimension) if lists else _of_items(rows, dimension)
        found += [_figure(dimension, group, each, confidence) for group, each in counts.groupby(dimension)]
    return found


def overall(shown: Shown, confidence: float) -> Figure | None:
    """Compute the figure of all lists together; None where nothing was shown."""
    if shown.items.empty and shown.lists.empty:
        return None
    return figures(shown, Known({}, 0, frozenset()), confidence, (ALL,))[0]


def varieties(shown: Shown, known: Known) -> list[Variety]:
    """How varied what each version showed was."""
    items = shown.items
    again = items.duplicated([USER, ITEM])
    return [
        Variety(str(version), each[ITEM].nunique() / max(known.n_items, 1), float(again[each.index].mean()))
        for version, each in items.groupby(VERSION)
    ]


def _of_items(items: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """Count for each user and group."""
    keys = [USER, dimension]
    items = items.fillna({dimension: UNKNOWN})
    counts = items.groupby(keys).agg(
        lists=(LIST, "nunique"), shown=(LIST, "size"), clicks=(CLICKED, "sum"), successes=(LIKED, "sum")
    )
    good = items[items[LIKED]].groupby(keys)[LIST].nunique()
    return counts.assign(good=good).fillna({"good": 0}).reset_index()


def _of_lists(lists: pd.DataFrame, dimension: str) -> pd.DataFrame:
    return lists.groupby([USER, dimension], as_index=False)[COUNTS].sum()


def _figure(dimension: str, group: object, users: pd.DataFrame, confidence: float) -> Figure:
    sums = {name: int(users[name].sum()) for name in COUNTS}

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
