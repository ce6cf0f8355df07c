"""What this process did in the last minutes, in steps of some seconds.

The counters that Prometheus reads are sampled by a timer, so that a request costs nothing more.
"""

import asyncio
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate, pairwise
from random import getrandbits
from typing import NamedTuple

from app.observability.counters import LATENCIES, RequestTotals
from app.observability.telemetry import Telemetry

STEP_SECONDS = 5.0
STEPS = 180
MILLISECONDS = 1000
SHARES = (0.5, 0.95, 0.99)


class Sample(NamedTuple):
    """The counters at one moment, with its time on the wall clock and on the monotonic clock."""

    at: float
    clock: float
    requests: RequestTotals
    lists: Mapping[str, int]
    swaps: int


class Step(NamedTuple):
    """What happened between two samples; latencies in milliseconds, None without a request."""

    at: float
    seconds: float
    requests: int
    refused: int
    errors: int
    latencies: Sequence[float] | None
    lists: Mapping[str, int]
    swaps: int


class RecentFigures:
    """Samples the counters every STEP_SECONDS, and remembers STEPS steps; to be used by one event loop."""

    def __init__(self, telemetry: Telemetry, ignored: Collection[str]) -> None:
        """`ignored` are the routes whose requests are not those of clients."""
        self.replica = f"{getrandbits(32):08x}"
        self.started = time.time()
        self._telemetry, self._ignored = telemetry, frozenset(ignored)
        self._samples = deque([self._sample()], maxlen=STEPS + 1)
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to sample."""
        self._timer = asyncio.get_running_loop().call_later(STEP_SECONDS, self._tick)

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def steps(self) -> list[Step]:
        """The steps, oldest first; the last one goes on until now."""
        samples = [*self._samples, self._sample()]
        return [_step(before, after) for before, after in pairwise(samples)]

    def _tick(self) -> None:
        self._samples.append(self._sample())
        self.start()

    def _sample(self) -> Sample:
        telemetry = self._telemetry
        totals = telemetry.requests.totals(self._ignored)
        return Sample(time.time(), time.monotonic(), totals, telemetry.lists.by_source(), telemetry.model.swaps)


def _step(before: Sample, after: Sample) -> Step:
    requests, former = after.requests, before.requests
    buckets = [now - then for now, then in zip(requests.buckets, former.buckets, strict=True)]
    return Step(
        at=after.at,
        seconds=after.clock - before.clock,
        requests=requests.requests - former.requests,
        refused=requests.refused - former.refused,
        errors=requests.errors - former.errors,
        latencies=[MILLISECONDS * quantile(buckets, share) for share in SHARES] if any(buckets) else None,
        lists={source: count - before.lists.get(source, 0) for source, count in after.lists.items()},
        swaps=after.swaps - before.swaps,
    )


def quantile(buckets: Sequence[int], share: float) -> float:
    """The latency in seconds that this share of requests doesn't exceed, estimated from a histogram that is not empty.

    As Prometheus' histogram_quantile does, it takes the requests of a bucket as spread evenly between its bounds, and
    answers the last bound for those above it.
    """
    counts = list(accumulate(buckets))
    wanted = share * counts[-1]
    place = bisect_left(counts, wanted)
    if place >= len(LATENCIES):
        return LATENCIES[-1]
    low = LATENCIES[place - 1] if place else 0.0
    below = counts[place] - buckets[place]
    return low + (LATENCIES[place] - low) * (wanted - below) / buckets[place]
