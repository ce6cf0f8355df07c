"""How often items were shown at explored ranks, as all replicas have stored it, in the memory of each process."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import numpy as np

from app.contract.recommender import Float64Array, Recommender, Rows
from app.contract.trends import DAY
from app.events.store import EventStore

DAYS = 30  # older showings do not count
SECONDS = 60.0


class Counts(NamedTuple):
    """Showings by item: of all days, of all days by their age, and of today."""

    all: Float64Array
    faded: Float64Array
    today: Float64Array

    def only(self, rows: Rows) -> "Counts":
        """The counts of some items."""
        return Counts(*(each[rows] for each in self))


class Showings:
    """Counts of the last days by item; each day is read once, but for the last two, which may grow."""

    def __init__(self) -> None:
        self._days: Mapping[str, Mapping[str, int]] = {}
        self._due = 0.0

    def read(self, store: EventStore) -> None:
        """Read what is new if the last time is a minute ago."""
        if time.monotonic() < self._due:
            return
        today = datetime.now(timezone.utc).date()
        oldest, since = today - timedelta(days=DAYS), today - timedelta(days=1)
        if not self._days:
            since = oldest
        read: dict[str, dict[str, int]] = {since.isoformat(): {}}
        for day, item, count in store.explored_showings(since.isoformat()):
            read.setdefault(day, {})[item] = count
        kept = {day: counts for day, counts in self._days.items() if oldest.isoformat() <= day < since.isoformat()}
        self._days, self._due = {**kept, **read}, time.monotonic() + SECONDS

    def counts(self, recommender: Recommender, half_life: float) -> Counts:
        """The counts of a version's items; `half_life` is in seconds, by whole days of age."""
        found, today = Counts(*np.zeros((3, recommender.n_items))), datetime.now(timezone.utc).date()
        for day, of_day in self._days.items():
            known = {row: count for item, count in of_day.items() if (row := recommender.item_row(item)) is not None}
            rows, counts = np.array([*known], dtype=np.int64), np.array([*known.values()], dtype=np.float64)
            age = (today - datetime.fromisoformat(day).date()).days
            found.all[rows] += counts
            found.faded[rows] += counts * 0.5 ** (age * DAY / half_life)
            found.today[rows] += counts * (age == 0)
        return found
