"""Counts of requests and of lists, as plain numbers that a scrape turns into Prometheus samples.

Prometheus' own counters take a lock and several calls for each step: more than all other work of a plain answer.
"""

import time
from bisect import bisect_left
from collections.abc import Collection, Iterator
from http import HTTPStatus
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
LATENCIES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)  # seconds
BOUNDS = (*map(floatToGoString, LATENCIES), "+Inf")


class Latencies:
    """A histogram of seconds; only the event loop adds to it, so it needs no lock."""

    def __init__(self) -> None:
        self.created = time.time()
        self.seconds = 0.0
        self.buckets = [0] * len(BOUNDS)

    def cumulative(self) -> list[tuple[str, float]]:
        """Each bound with the number of requests up to it."""
        counts, total = [], 0
        for bound, count in zip(BOUNDS, list(self.buckets), strict=True):
            total += count
            counts.append((bound, float(total)))
        return counts


class RequestCount:
    """The number of requests of one method, route and status."""

    def __init__(self, latencies: Latencies) -> None:
        self.created = time.time()
        self.count = 0
        self._latencies = latencies

    def add(self, seconds: float) -> None:
        """Count one request."""
        self.count += 1
        self._latencies.seconds += seconds
        self._latencies.buckets[bisect_left(LATENCIES, seconds)] += 1


class RequestTotals(NamedTuple):
    """Sums over routes; `buckets` counts requests by latency, one number more than LATENCIES."""

    requests: int
    refused: int
    errors: int
    buckets: list[int]


class RequestCounters(Collector):
    """Requests by method, route and status, and latencies by route and status."""

    def __init__(self) -> None:
        self._latencies: dict[tuple[str, str], Latencies] = {}
        self._counts: dict[tuple[str, str, str], RequestCount] = {}

    def of(self, method: str, route: str, status: int) -> RequestCount:
        """Where to count a request; it begins with the first one, so that no label stands at 0."""
        # A client may invent methods, and each would make a label.
        key = (method if method in METHODS else "other", route, str(status))
        counted = self._counts.get(key)
        if counted is None:
            counted = self._counts[key] = RequestCount(self._latencies.setdefault(key[1:], Latencies()))
        return counted

    def totals(self, ignored: Collection[str]) -> RequestTotals:
        """The sums over all routes but the ignored ones: requests, those answered 4xx, those answered 5xx."""
        counts = [
            (int(status), each.count) for (_, route, status), each in self._counts.items() if route not in ignored
        ]
        buckets = [each.buckets for (route, _), each in self._latencies.items() if route not in ignored]
        return RequestTotals(
            requests=sum(count for _, count in counts),
            refused=sum(
                n for status, n in counts if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            ),
            errors=sum(n for status, n in counts if status >= HTTPStatus.INTERNAL_SERVER_ERROR),
            buckets=[sum(bucket) for bucket in zip([0] * len(BOUNDS), *buckets, strict=True)],
        )

    def collect(self) -> Iterator[Metric]:
        """The metrics that Prometheus reads."""
        requests = CounterMetricFamily(
            "recommender_requests", "Answered requests.", labels=["method", "route", "status"]
        )
        for labels, counted in list(self._counts.items()):
            requests.add_metric(labels, counted.count, counted.created)
        yield requests
        seconds = HistogramMetricFamily(
            "recommender_request_seconds",
            "Time from the arrival of a request to the end of its answer.",
            labels=["route", "status"],
        )
        for (route, status), measured in list(self._latencies.items()):
            seconds.add_metric([route, status], measured.cumulative(), measured.seconds)
            created = Sample(f"{seconds.name}_created", {"route": route, "status": status}, measured.created)
            seconds.samples.append(created)
        yield seconds


class ListCount:
    """The number of lists from one source, and of those with fewer items than asked for."""

    def __init__(self) -> None:
        self.created = time.time()
        self.lists = 0
        self.short = 0


class ListCounters(Collector):
    """Lists of recommendations by source; only the event loop adds to it, so it needs no lock."""

    def __init__(self) -> None:
        self._counts: dict[str, ListCount] = {}

    def add(self, source: str, *, is_short: bool) -> None:
        """Count one list."""
        count = self._counts.get(source)
        if count is None:
            count = self._counts[source] = ListCount()
        count.lists += 1
        if is_short:
            count.short += 1

    def by_source(self) -> dict[str, int]:
        """The number of lists from each source."""
        return {source: count.lists for source, count in list(self._counts.items())}

    def collect(self) -> Iterator[Metric]:
        """The metrics that Prometheus reads."""
        lists = CounterMetricFamily(
            "recommender_lists", "Lists of recommendations made for somebody.", labels=["source"]
        )
        short = CounterMetricFamily(
            "recommender_short_lists", "Lists with fewer films than asked for.", labels=["source"]
        )
        for source, count in list(self._counts.items()):
            lists.add_metric([source], count.lists, count.created)
            short.add_metric([source], count.short, count.created)
        yield lists
        yield short
