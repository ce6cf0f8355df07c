"""Measures how alike the latest lists are, so that a recommender that shows everybody the same items is noticed."""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.contract.artifact import Artifact

LISTS = 10_000
PLACES = 10 * LISTS  # the items of all these lists if each holds ten
TOP = 10
NO_ROWS = np.empty(0, dtype=np.int32)


class NotedList(NamedTuple):
    """A list of items; their rows are the bytes of int32 numbers, which take a third of the memory of an array."""

    item_rows: bytes
    is_fallback: bool
    is_short: bool

    @classmethod
    def of(
        cls, rows: Sequence[int] | npt.NDArray[np.integer], *, is_fallback: bool = False, is_short: bool = False
    ) -> "NotedList":
        """A list of the items in these rows."""
        # An array of Python is made five times as fast of a list.
        numbers = rows.astype(np.int32) if isinstance(rows, np.ndarray) else array("i", rows)
        return cls(numbers.tobytes(), is_fallback, is_short)

    @property
    def length(self) -> int:
        """The number of items."""
        return len(self.item_rows) // np.dtype(np.int32).itemsize


class ReadyList(NamedTuple):
    """The first k items of a user's ready list, which is neither a fallback nor short."""

    user_row: int
    k: int
    is_short: bool = False

    @property
    def length(self) -> int:
        """The number of items."""
        return self.k


class RecentLists(NamedTuple):
    """What the latest lists have in common; a share is None without any list."""

    catalogue_items: int
    lists: int
    distinct_items: int
    fallback_share: float | None
    short_share: float | None
    top10_share: float | None
    top: tuple[tuple[int, int], ...]  # rows of the most served items, and how many lists hold each


class ServedLists(Collector):
    """Remembers the last 10,000 lists and 100,000 items that were served.

    Adding is cheap: all calculation happens when Prometheus asks.
    """

    def __init__(self) -> None:
        # Replaced as a whole, so that no other thread adds a list to those of another model.
        self._recent: tuple[Artifact | None, deque[NotedList | ReadyList]] = None, deque(maxlen=LISTS)

    def add(self, artifact: Artifact, one: NotedList | ReadyList) -> None:
        """Remember one list, if it is this model's."""
        current, lists = self._recent  # as a whole: a swap may come in between
        if current is not None and artifact.recipe is current.recipe:  # `are_of`, at a call less for each list
            lists.append(one)

    def restart(self, artifact: Artifact) -> None:
        """Forget all lists and begin with another model: its rows mean other items."""
        self._recent = artifact, deque(maxlen=LISTS)

    def are_of(self, artifact: Artifact) -> bool:
        """Whether the lists that are remembered are this model's."""
        # A revised catalogue has an artifact of its own; the recipe is that of the version, whose rows it keeps.
        current = self._recent[0]
        return current is not None and artifact.recipe is current.recipe

    def summary(self) -> RecentLists:
        """The figures of the lists that are remembered; takes milliseconds."""
        artifact, recent = self._recent
        lists = list(recent)
        n_items = 0 if artifact is None else len(artifact.item_ids)
        noted = [one for one in lists if isinstance(one, NotedList)]
        rows = np.concatenate([rows_of(one, artifact) for one in lists] or [NO_ROWS])[-PLACES:]
        # A revised catalogue may have rows that the version's own has not.
        counts = np.bincount(rows[rows < n_items], minlength=TOP)
        total, n = int(counts.sum()), len(lists)
        first = np.argsort(-counts, kind="stable")[:TOP].tolist()
        return RecentLists(
            catalogue_items=n_items,
            lists=n,
            distinct_items=int(np.count_nonzero(counts)),
            fallback_share=sum(one.is_fallback for one in noted) / n if n else None,
            short_share=sum(one.is_short for one in noted) / n if n else None,
            top10_share=int(counts[first].sum()) / total if total else None,
            top=tuple((row, int(counts[row])) for row in first if counts[row]),
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics that Prometheus reads; without lists, shares are left out."""
        recent = self.summary()
        lists, shown, top10 = "Share of the recent lists that hold", None, recent.top10_share
        if top10 is not None:
            shown = recent.distinct_items / recent.catalogue_items
        figures = (
            ("catalogue_items", "Films that the model can recommend.", recent.catalogue_items),
            ("recent_lists", f"Number of recent lists: the last {LISTS} of this model.", recent.lists),
            ("recent_distinct_items", "Different films in the recent lists.", recent.distinct_items),
            ("recent_fallback_share", f"{lists} popular films.", recent.fallback_share),
            ("recent_short_share", f"{lists} fewer films than asked for.", recent.short_share),
            ("recent_catalogue_share", "Share of the catalogue that the recent lists show.", shown),
            ("recent_top10_share", "Share of all recent places that the ten most served films take.", top10),
        )
        for name, description, value in figures:
            if value is not None:
                yield GaugeMetricFamily(f"recommender_{name}", description, value=value)


def rows_of(one: NotedList | ReadyList, artifact: Artifact | None) -> npt.NDArray[np.int32]:
    """The rows of a list of this model."""
    if isinstance(one, NotedList):
        return np.frombuffer(one.item_rows, dtype=np.int32)
    ready = None if artifact is None else artifact.ready_items
    return NO_ROWS if ready is None else ready[one.user_row, : one.k]
