"""Counts which users got lists of which arm of a trial; the sums go into the store of events every few seconds.

Sums are enough, and cheap: one addition for each list. A crash loses the last seconds, of both arms alike. Of a user
and day each process stores ten lists, more count for nothing: so people bound what is written, and requests do not.
"""

import logging
import threading
from collections import Counter as Counts
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from prometheus_client import CollectorRegistry, Counter

from app.contract.trial import ARMS, MOST_LISTS, Arm
from app.events.flushed import Flushed
from app.events.placements import Placements
from app.events.rows import Exposure, Verdict
from app.events.store import EventStore

MAX_WAITING = 250_000  # users and lengths of lists of an arm; more are dropped while the store is down
FALLBACK = "fallback"  # a list of the live version, as that on trial is not loaded
COUNTED = (*(arm.name.lower() for arm in ARMS), FALLBACK)

logger = logging.getLogger(__name__)


class Tally:
    """Counts the lists of one arm, as a version answers them, by user and number of items; from any thread."""

    def __init__(self, experiment: str, arm: Arm, version: str, placement: str = "") -> None:
        """`placement` is that on trial, empty in a trial of versions."""
        self.experiment, self.arm, self.version, self.placement = experiment, arm, version, placement
        self._lock = threading.Lock()
        self._lists: dict[tuple[str, int], int] = {}
        self._day, self._stored = "", Counts[str]()

    def add(self, user_id: str, films: int) -> None:
        """Count a list."""
        key = user_id, films
        with self._lock:
            self._lists[key] = self._lists.get(key, 0) + 1

    def take(self) -> dict[tuple[str, int], int]:
        """What was counted since the last time."""
        day = datetime.now(timezone.utc).date().isoformat()
        if day != self._day:
            self._day, self._stored = day, Counts()
        with self._lock:
            taken, self._lists = self._lists, {}
        return taken

    def put_back(self, taken: dict[tuple[str, int], int]) -> bool:
        """Count again what was taken, unless that would be too much; whether it was done."""
        with self._lock:
            if len(self._lists) + len(taken) > MAX_WAITING:
                return False
            for key, lists in taken.items():
                self._lists[key] = self._lists.get(key, 0) + lists
        return True

    def rows(self, taken: Mapping[tuple[str, int], int]) -> list[Exposure]:
        """What is to be stored of what was taken: one row for each user who has had less than enough lists today."""
        lists, films = Counts[str](), Counts[str]()
        for (user_id, length), number in taken.items():
            if self._stored[user_id] < MOST_LISTS:
                lists[user_id] += number
                films[user_id] += number * length
        group = self.experiment, int(self.arm), self.version
        return [Exposure(self._day, user_id, *group, lists[user_id], films[user_id]) for user_id in lists]

    def stored(self, rows: Sequence[Exposure]) -> None:
        """Note that rows are in the store."""
        self._stored.update({row.user_id: row.lists for row in rows})


class ExposureMetrics:
    """How many lists each arm got, and how often they could not be stored, for Prometheus."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        description = "Lists during a trial, by arm, and by placement where that is on trial."
        self.lists = Counter("recommender_arm_lists", description, ["arm", "placement"], registry=collectors)
        for arm in COUNTED:
            self.lists.labels(arm, "")
        self.failures = Counter(
            "recommender_exposure_failures", "Failed attempts to store exposures.", registry=collectors
        )


class Exposures(Flushed):
    """Appends what all tallies have counted; its thread also reads how trials of placements stand, by experiment."""

    def __init__(self, store: EventStore, metrics: ExposureMetrics, placements: Placements | None = None) -> None:
        super().__init__("exposures", store, metrics.failures)
        self.verdicts: Mapping[str, Verdict] = {}
        self._placements = placements or Placements()
        self._totals = Counts[tuple[str, str]]()
        self._metrics = metrics
        self._tallies: dict[tuple[str, Arm, str], Tally] = {}

    def tally(self, experiment: str, arm: Arm, version: str, placement: str = "") -> Tally:
        """Where to count the lists of an arm; the same each time."""
        key = experiment, arm, version
        return self._tallies.get(key) or self._tallies.setdefault(key, Tally(*key, placement))

    def fell_back(self, experiment: str) -> None:
        """Count a list of the live version for a user of the other arm, whose version is not loaded."""
        self._count(experiment, FALLBACK, "", 1)

    def totals(self, experiment: str) -> dict[str, int]:
        """How many lists of a trial this process has made, by arm, without those of the last seconds."""
        return {arm: self._totals[experiment, arm] for arm in COUNTED}

    def flush(self) -> None:
        """Append what was counted to the store, where what it does not take waits for the next time; read verdicts."""
        for tally in list(self._tallies.values()):
            taken = tally.take()
            if taken:
                self._append(tally, taken)
        if self._placements.trials:
            self._is_stored(self._read_verdicts)

    def _read_verdicts(self) -> None:
        self.verdicts = {each.experiment: each for each in self._store.verdicts()}

    def _append(self, tally: Tally, taken: dict[tuple[str, int], int]) -> None:
        rows = tally.rows(taken)
        if rows and not self._is_stored(lambda: self._store.add(rows)):
            if not tally.put_back(taken):
                logger.error("The exposures of %d users and lengths of lists are lost", len(taken))
            return
        tally.stored(rows)
        self._count(tally.experiment, tally.arm.name.lower(), tally.placement, sum(taken.values()))

    def _count(self, experiment: str, arm: str, placement: str, lists: int) -> None:
        self._totals[experiment, arm] += lists
        self._metrics.lists.labels(arm, placement).inc(lists)
