"""Adds up day by day what became of what each user was shown, so that a week need not be in memory at once."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

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
VARIED = ["shown", "repeated", "fresh"]
UNKNOWN = "unknown"


Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """What training knows: the segment of each user with ratings, how many items there are, and those with ratings."""

    segments: Mapping[str, str]
    n_items: int
    rated: frozenset[str]


class Totals:
    """Sums over days; users and items are numbers here, since millions of names would not fit into memory.

    `of` has a frame for each dimension, with a row for each user and group and the columns of COUNTS. `varied` counts,
    by version, what was on screens (VARIED), and `items` holds which items.
    """

    def __init__(self, known: Known, dimensions: Sequence[str] = DIMENSIONS) -> None:
        self._known, self._dimensions = known, dimensions
        self._users, self._items = _Numbers(), _Numbers()
        self._pairs: Codes = np.empty(0, dtype=np.int64)  # of users and items that were shown to them, in order
        self.of: dict[str, pd.DataFrame] = {}
        self.varied = pd.DataFrame(columns=VARIED, dtype="int64")
        self.items = defaultdict[str, set[int]](set)
        self.answered: list[tuple[str, float, str]] = []  # day, share and sources
        self.on_screens: set[str] = set()  # days
        self.left_out = defaultdict[str, int](int)

    @classmethod
    def over(cls, days: Iterable[Shown], known: Known, dimensions: Sequence[str] = DIMENSIONS) -> "Totals":
        """The sums over these days."""
        totals = cls(known, dimensions)
        for shown in days:
            totals.add(shown)
        return totals

    def add(self, shown: Shown) -> None:
        """Add what was shown on further days."""
        for what, number in shown.left_out.items():
            self.left_out[what] += number
        if shown.items.empty:
            return
        rows = self._rows(shown.items)
        for dimension in self._dimensions:
            self._count(rows, dimension)
        self._vary(rows[~rows[ANSWERED]])
        self.on_screens |= set(rows[SHOWN_ON][~rows[ANSWERED]].unique())
        for [day, share], of_day in rows[rows[ANSWERED]].groupby([SHOWN_ON, SHARE]):
            self.answered.append((str(day), float(str(share)), ", ".join(sorted(of_day[SOURCE].unique()))))

    def _rows(self, items: pd.DataFrame) -> pd.DataFrame:
        """What was shown, with the group that each row belongs to, and for how many each row counts."""
        weight, rated = 1 / items[SHARE].astype(float), items[ITEM].isin(self._known.rated)
        users, names = pd.factorize(items[USER])
        segments = np.array([self._known.segments.get(name, NEW) for name in names], dtype=object)
        groups: dict[str, pd.Series | npt.NDArray[Any]] = {
            USER: self._users.of(names)[users],
            ITEM: self._items.coded(items[ITEM]),
            LIST: pd.factorize(items[LIST])[0],
            ALL: np.full(len(items), ALL, dtype=object),
            DAILY: items[SHOWN_ON] + " " + items[VERSION],
            SEGMENT: segments[users],
            FILMS: rated.map({True: "rated", False: NEW}),
        }
        liked = weight * items[LIKED]
        counts = {
            "lists": weight,
            "shown": weight,
            "clicks": weight * items[CLICKED],
            "successes": liked,
            "good": liked,
        }
        kept = items[[PLACEMENT, SOURCE, RANK, SHOWN_ON, VERSION, ANSWERED, SHARE]]
        return kept.assign(**groups).assign(**counts)

    def _count(self, rows: pd.DataFrame, dimension: str) -> None:
        """Count for each user and group; a list of a sample stands for as many as its share says."""
        keys = [USER, dimension]
        rows = rows.fillna({dimension: UNKNOWN})
        of_lists = rows.groupby([*keys, LIST])[["lists", "good"]].max().groupby(keys).sum()
        counts = rows.groupby(keys)[["shown", "clicks", "successes"]].sum().join(of_lists)[COUNTS].reset_index()
        if dimension in self.of:
            counts = pd.concat([self.of[dimension], counts]).groupby(keys, as_index=False)[COUNTS].sum()
        self.of[dimension] = counts

    def _vary(self, rows: pd.DataFrame) -> None:
        """Count what the same user had been shown before, and what nobody has rated."""
        pairs = pd.Series(rows[USER].to_numpy() << 32 | rows[ITEM].to_numpy(), rows.index)
        place = np.searchsorted(self._pairs, pairs)
        known = np.append(self._pairs, -1)[place] == pairs
        again = (known | pairs.duplicated()).astype("int64")
        found = pd.DataFrame({"shown": 1, "repeated": again, "fresh": (rows[FILMS] == NEW).astype("int64")}, rows.index)
        self.varied = self.varied.add(found.groupby(rows[VERSION])[VARIED].sum(), fill_value=0)
        self._pairs = np.union1d(self._pairs, pairs.to_numpy())
        for version, items in rows.groupby(VERSION)[ITEM]:
            self.items[str(version)].update(items.unique().tolist())


class _Numbers:
    """Numbers names from 0 on, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def of(self, names: Iterable[Hashable]) -> Codes:
        numbers = self._numbers
        return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)

    def coded(self, names: pd.Series) -> Codes:
        codes, different = pd.factorize(names)
        return self.of(different)[codes]
