"""Measures how alike the latest lists are, so that a recommender that shows everybody the same items is noticed."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

LISTS = 10_000
PLACES = 10 * LISTS  # the items of all these lists if each holds ten
TOP = 10
UNUSED, FALLBACK_BIT, SHORT_BIT = -1, 1, 2


class ServedLists(Collector):
    """Remembers the last 10,000 lists and 100,000 items that were served, in memory of fixed size.

    Adding is cheap: all calculation happens when Prometheus asks. Threads that add at the same time may overwrite each
    other's list, and do no other harm.
    """

    def __init__(self) -> None:
        self._n_items = 0
        self._places = _Ring(PLACES, np.int32)
        self._lists = _Ring(LISTS, np.int8)

    def add(self, item_rows: Sequence[int] | npt.NDArray[np.integer], *, is_fallback: bool, is_short: bool) -> None:
        """Remember one list."""
        self._places.extend(item_rows)
        self._lists.append(FALLBACK_BIT * is_fallback + SHORT_BIT * is_short)

    def restart(self, n_items: int) -> None:
        """Forget all lists and begin with a catalogue of `n_items`: rows of another model mean other items."""
        self._n_items = n_items
        self._places, self._lists = _Ring(PLACES, np.int32), _Ring(LISTS, np.int8)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics that Prometheus reads; without lists, shares are left out."""
        lists, rows = self._lists.used(), self._places.used()
        # A request that began before a swap may have added a row that the new model does not have.
        counts = np.bincount(rows[rows < self._n_items], minlength=TOP)
        yield _gauge("catalogue_items", "Films that the model can recommend.", self._n_items)
        yield _gauge("recent_lists", f"Number of recent lists: the last {LISTS} of this model.", len(lists))
        yield _gauge("recent_distinct_items", "Different films in the recent lists.", int(np.count_nonzero(counts)))
        if not len(lists):
            return
        yield _gauge(
            "recent_fallback_share",
            "Share of the recent lists that hold popular films.",
            float(np.mean(lists & FALLBACK_BIT != 0)),
        )
        yield _gauge(
            "recent_short_share",
            "Share of the recent lists that hold fewer films than asked for.",
            float(np.mean(lists & SHORT_BIT != 0)),
        )
        if total := int(counts.sum()):
            top = np.partition(counts, -TOP)[-TOP:].sum()
            share = np.count_nonzero(counts) / self._n_items
            yield _gauge("recent_catalogue_share", "Share of the catalogue that the recent lists show.", share)
            yield _gauge(
                "recent_top10_share", "Share of all recent places that the ten most served films take.", top / total
            )


class _Ring:
    """The last values added, of a fixed number."""

    def __init__(self, size: int, dtype: type[np.signedinteger]) -> None:
        self._values = np.full(size, UNUSED, dtype=dtype)
        self._next = 0

    def append(self, value: int) -> None:
        place = self._next
        self._values[place] = value
        self._next = (place + 1) % len(self._values)

    def extend(self, values: Sequence[int] | npt.NDArray[np.integer]) -> None:
        start = self._next
        end = start + len(values)
        if end <= len(self._values):
            self._values[start:end] = values
            self._next = end % len(self._values)
        else:
            for value in values[-len(self._values) :]:
                self.append(int(value))

    def used(self) -> npt.NDArray[np.signedinteger]:
        used: npt.NDArray[np.signedinteger] = self._values[self._values != UNUSED]
        return used


def _gauge(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"recommender_{name}", description, value=value)
