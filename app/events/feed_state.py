"""What is known of how following the store goes."""

import time
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge

OK = "ok"
CATCHING_UP = "catching_up"
UNAVAILABLE = "events_unavailable"


class FeedState(NamedTuple):
    """The overlay has the events up to `position`, which was all that there were at `caught_up_at`, seconds since 1970.

    `learned_until` is the highest position that a model in use has learned until. `problem` is the latest one, solved
    or not.
    """

    status: str
    position: int = 0
    caught_up_at: float | None = None
    learned_until: int = 0
    problem: str | None = None


class FeedMetrics:
    """How following the store goes, for Prometheus."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._collectors = collectors
        self.failures = Counter(
            "recommender_overlay_failures", "Failed attempts to read the store of events.", registry=collectors
        )

    def show(self, state: Callable[[], FeedState], users: Callable[[], int]) -> None:
        """Have each scrape ask for the state and for the number of users in the overlay."""
        began = time.time()
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "users": ("Users in the overlay: those with events that a model in use may not know.", users),
            "position": ("Position up to which the overlay has all events.", lambda: state().position),
            "learned_until": ("Highest position that a model in use has learned until.", lambda: state().learned_until),
            "lag_seconds": (
                "Time since the overlay had all events.",
                lambda: time.time() - (state().caught_up_at or began),
            ),
        }
        for name, (description, value) in gauges.items():
            Gauge(f"recommender_overlay_{name}", description, registry=self._collectors).set_function(value)
