"""Counts events and commits, for Prometheus; docs/operation.md lists the metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge

ACCEPTED, DUPLICATE, UNKNOWN_ITEM = "accepted", "duplicate", "unknown_item"
CAUSES = ("store", "timeout", "queue_full")


class EventMetrics:
    """What came of the events that were sent; each process counts its own."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._events = Counter(
            "recommender_events", "Events by type and by what came of them.", ["type", "outcome"], registry=collectors
        )
        self.commits = Counter("recommender_event_commits", "Transactions that stored events.", registry=collectors)
        self.waiting = Gauge("recommender_events_waiting", "Events that wait for their commit.", registry=collectors)
        failures = Counter(
            "recommender_event_failures", "Failed commits, and requests that gave up.", ["cause"], registry=collectors
        )
        # All labels exist from the start, so that a rate sees the first failure as a step from 0.
        self._failures = {cause: failures.labels(cause) for cause in CAUSES}

    def counted(self, event_type: str, outcome: str, number: int = 1) -> None:
        """Count events of one type."""
        self._events.labels(event_type, outcome).inc(number)

    def failed(self, cause: str) -> None:
        """Count a failure; `cause` is one of CAUSES."""
        self._failures[cause].inc()
