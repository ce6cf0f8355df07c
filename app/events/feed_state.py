"""What is known of how following the store goes."""

import time
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge

OK = "ok"
CATCHING_UP = "catching_up"
UNAVAILABLE = "events_unavailable"
LATE_SECONDS = 10.0  # without the end of a look that takes a second at rest: the store hangs


class FeedState(NamedTuple):
    """The overlay has the events up to `position`, which was all that there were at `caught_up_at`, seconds since 1970.

    The store last told something at `heard_at`, or was first asked then. `learned_until` is the highest position that
    a model in use has learned until. `problem` is the latest one, solved or not.
    """

    status: str
    position: int = 0
    heard_at: float | None = None
    caught_up_at: float | None = None
    learned_until: int = 0
    problem: str | None = None

    def at(self, now: float) -> "FeedState":
        """The state as it is at a time, seconds since 1970: a store that hangs changes nothing by itself."""
        if self.status == UNAVAILABLE or self.heard_at is None or (late := now - self.heard_at) <= LATE_SECONDS:
            return self
        return self._replace(status=UNAVAILABLE, problem=f"The store has told nothing for {late:.0f} s; it may hang")


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
