"""Counts which users got lists of which arm of a trial; the sums go into the store of events every few seconds.

Sums are enough, and cheap: one addition for each list. A crash loses the last seconds, of both arms alike.
"""

import logging
import threading
from collections import Counter as Sums
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter

from app.contract.trial import Arm
from app.events.store import EventStore, EventStoreError, Exposure

FLUSH_SECONDS = 10.0
STOP_SECONDS = 5.0
MAX_WAITING = 500_000  # different users, arms and lengths of lists; more are dropped while the store is down
FALLBACK = "fallback"  # a list of the live version, as that on trial is not loaded

logger = logging.getLogger(__name__)


class Shown(NamedTuple):
    """A list of `films` items that a user got of a version."""

    experiment: str
    arm: Arm
    version: str
    user_id: str
    films: int


class ExposureMetrics:
    """How many lists each arm got, and how often they could not be stored, for Prometheus."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        lists = Counter("recommender_arm_lists", "Lists during a trial, by arm.", ["arm"], registry=collectors)
        names = [arm.name.lower() for arm in (Arm.PRODUCTION, Arm.CHALLENGER)]
        self.lists = {name: lists.labels(name) for name in (*names, FALLBACK)}
        self.failures = Counter(
            "recommender_exposure_failures", "Failed attempts to store exposures.", registry=collectors
        )


class Exposures:
    """Sums what is shown, from any thread, and appends the sums in a thread of its own."""

    def __init__(self, store: EventStore, metrics: ExposureMetrics) -> None:
        self._totals = Sums[tuple[str, str]]()
        self._store, self._metrics = store, metrics
        self._lock = threading.Lock()
        self._sums: dict[Shown, int] = {}
        self._is_failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exposures", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Store what is left, unless the store hangs, and end the thread."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def add(self, shown: Shown) -> None:
        """Count a list."""
        with self._lock:
            self._sums[shown] = self._sums.get(shown, 0) + 1

    def fell_back(self, experiment: str) -> None:
        """Count a list of the live version for a user of the other arm, whose version is not loaded."""
        self._count(experiment, FALLBACK, 1)

    def totals(self, experiment: str) -> dict[str, int]:
        """How many lists of a trial this process has made, by arm, without those of the last seconds."""
        return {arm: self._totals[experiment, arm] for arm in self._metrics.lists}

    def flush(self) -> None:
        """Append the sums to the store; those that it does not take wait for the next time."""
        with self._lock:
            sums, self._sums = self._sums, {}
        if not sums:
            return
        try:
            self._store.append_exposures(_exposures(sums.items()))
        except EventStoreError as error:
            self._keep(sums, error)
            return
        self._is_failing = False
        for shown, lists in sums.items():
            self._count(shown.experiment, shown.arm.name.lower(), lists)

    def _count(self, experiment: str, arm: str, lists: int) -> None:
        self._totals[experiment, arm] += lists
        self._metrics.lists[arm].inc(lists)

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self._try_to_flush()
        self._try_to_flush()
        self._store.close()

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except Exception:
            # Any error here must not end the thread: the trial goes on.
            logger.exception("Exposures could not be stored")

    def _keep(self, sums: dict[Shown, int], error: EventStoreError) -> None:
        # One line for each outage, not for each attempt.
        if not self._is_failing:
            logger.warning("Exposures wait for the store: %s", error)
        self._is_failing = True
        self._metrics.failures.inc()
        with self._lock:
            if len(self._sums) + len(sums) > MAX_WAITING:
                logger.error("Exposures of %d users, arms and lengths of lists are lost: the store is down", len(sums))
                return
            for shown, lists in sums.items():
                self._sums[shown] = self._sums.get(shown, 0) + lists


def _exposures(sums: Iterable[tuple[Shown, int]]) -> list[Exposure]:
    """One row for each user and arm, of today."""
    day = datetime.now(timezone.utc).date().isoformat()
    lists, films = Sums[tuple[str, str, int, str]](), Sums[tuple[str, str, int, str]]()
    for shown, number in sums:
        row = (shown.user_id, shown.experiment, int(shown.arm), shown.version)
        lists[row] += number
        films[row] += number * shown.films
    return [Exposure(day, *row, lists=lists[row], films=films[row]) for row in lists]
