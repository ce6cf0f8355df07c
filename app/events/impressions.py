"""Takes in which items of which lists were on a screen; they go into the store of events every few seconds."""

import threading
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter

from app.events.flushed import Flushed
from app.events.rows import Impression
from app.events.showings import Showings
from app.events.store import EventStore

ACCEPTED, EXPIRED, DROPPED = "accepted", "expired", "dropped"
MAX_WAITING = 100_000  # shown items; more are dropped while the store is down
AT_ONCE = 5_000  # rows of one transaction


class ImpressionMetrics:
    """What came of shown items, and how often they could not be stored, for Prometheus."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        items = Counter(
            "recommender_impressions", "Shown items, by what came of them.", ["outcome"], registry=collectors
        )
        self.items = {outcome: items.labels(outcome) for outcome in (ACCEPTED, EXPIRED, DROPPED)}
        self.failures = Counter(
            "recommender_impression_failures", "Failed attempts to store shown items.", registry=collectors
        )


class Impressions(Flushed):
    """Keeps shown items until they are stored: an item of a list once, however often it is sent.

    Its thread also reads what all replicas have shown at explored ranks.
    """

    def __init__(self, store: EventStore, metrics: ImpressionMetrics, showings: Showings) -> None:
        super().__init__("impressions", store, metrics.failures)
        self.metrics, self._showings = metrics, showings
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], Impression] = {}

    def add(self, shown: Iterable[Impression]) -> int:
        """Take in shown items; returns for how many there was no room."""
        dropped = 0
        with self._lock:
            for each in shown:
                key = each.recommendation_id, each.item_id
                if len(self._waiting) < MAX_WAITING or key in self._waiting:
                    self._waiting.setdefault(key, each)
                else:
                    dropped += 1
        return dropped

    def flush(self) -> None:
        """Append what waits; the store leaves out what it has."""
        with self._lock:
            taken, self._waiting = list(self._waiting.values()), {}
        for start in range(0, len(taken), AT_ONCE):
            rows = taken[start : start + AT_ONCE]
            if not self._is_stored(lambda rows=rows: self._store.add(rows)):  # type: ignore[misc]
                self.metrics.items[DROPPED].inc(self.add(taken[start:]))
                return
        self._is_stored(lambda: self._showings.read(self._store))
