"""How often items were shown at explored ranks, as all replicas have stored it, in the memory of each process."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import repeat
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from app.contract.artifact_format import Float64Array
from app.contract.item_matrix import Mask
from app.contract.trends import DAY
from app.events.store import EventStore

DAYS = 30  # older showings do not count
SECONDS = 60.0
NEVER: Mapping[str, int] = MappingProxyType({})


class Counts(NamedTuple):
    """Showings by item: of all days, of all days by their age, and of today."""

    all: Float64Array
    faded: Float64Array
    today: Float64Array

    def where(self, chosen: Mask) -> "Counts":
        """The counts of some of these items."""
        return Counts(*(each[chosen] for each in self))


class Showings:
    """Counts of the last days by item; each day is read once, but for the last two, which may grow."""

    def __init__(self) -> None:
        self._days: Mapping[str, Mapping[str, int]] = {}
        self._of: Mapping[str, Mapping[str, int]] = {}  # the same by item, then day
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
        self._of = _by_item(self._days)

    def counts(self, item_ids: Sequence[str], half_life: float) -> Counts:
        """The counts of some items; `half_life` is in seconds, by whole days of age."""
        today, ages = datetime.now(timezone.utc).date(), range(-1, DAYS + 1)
        # Another replica's clock may be ahead; a store that is down for long leaves days that are too old.
        fades = {(today - timedelta(days=age)).isoformat(): 0.5 ** (max(age, 0) * DAY / half_life) for age in ages}
        shown = [*map(self._of.get, item_ids, repeat(NEVER))]
        faded = [sum(count * fades.get(day, 0) for day, count in each.items()) for each in shown]
        columns = [sum(each.values()) for each in shown], faded, [each.get(today.isoformat(), 0) for each in shown]
        return Counts(*np.array(columns, dtype=np.float64))


def _by_item(days: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
    """Put the counts in order off the event loop: most are of items that are not new, for which nobody asks."""
    found: dict[str, dict[str, int]] = {}
    for day, counts in days.items():
        for item, count in counts.items():
            found.setdefault(item, {})[day] = count
    return found
