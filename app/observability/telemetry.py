"""Counts what the service does, for Prometheus; docs/operation.md lists the metrics.

A route calls `telemetry.served(source, item_rows, k)` once for each list made for somebody. For a request with a user
id and nothing but k it calls `telemetry.served_plain(model, user_id, source, item_rows, k)` instead. Each process
counts for itself: Prometheus scrapes every one of them.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from app.errors import MODEL_ERROR_CODES
from app.model.store import ServedModel
from app.observability.served_lists import ServedLists

OK = "ok"  # the outcome of a poll that found nothing wrong
FALLBACK = "popular"  # the source of a list that the user's own history has no part in
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
LATENCIES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
MILLISECONDS = 1000

ServedRows = Sequence[int] | npt.NDArray[np.integer]
Compare = Callable[[ServedModel, str, ServedRows, int], None]


class ModelMetrics:
    """Registry polls by outcome, swaps, and the loaded version of one alias; every name begins with `prefix`.

    `served_lists` holds the lists that the alias's model has answered, and starts again at a swap.
    """

    def __init__(self, collectors: CollectorRegistry, prefix: str, served_lists: ServedLists | None = None) -> None:
        self._served_lists = served_lists
        self._info = Gauge(
            f"{prefix}_info",
            "1, labelled with the loaded version.",
            ["version", "family", "content_hash"],
            registry=collectors,
        )
        self._age = Gauge(
            f"{prefix}_age_seconds", "Time since the version was registered.", ["version"], registry=collectors
        )
        self._loaded = Gauge(
            f"{prefix}_loaded_seconds", "Time since this process loaded the version.", ["version"], registry=collectors
        )
        self._swaps = Counter(f"{prefix}_swaps", "Versions loaded, the first included.", registry=collectors)
        failures = Counter(
            f"{prefix}_swap_failures", "Failed attempts to load a version, by cause.", ["code"], registry=collectors
        )
        polls = Counter(f"{prefix}_polls", "Registry polls by outcome.", ["status"], registry=collectors)
        # All labels exist from the start, so that a rate sees the first failure as a step from 0.
        self._failures = {code: failures.labels(code) for code in MODEL_ERROR_CODES}
        self._polls = {status: polls.labels(status) for status in (OK, *MODEL_ERROR_CODES)}

    def swapped(self, model: ServedModel) -> None:
        """Count a swap, and describe the loaded version."""
        if self._served_lists is not None:
            self._served_lists.restart(model.recommender.n_items)
        for gauge in (self._info, self._age, self._loaded):
            gauge.clear()
        self._info.labels(model.version, model.artifact.recipe.family, model.content_hash).set(1)
        created, loaded = model.release.created / MILLISECONDS, model.loaded_at.timestamp()
        self._age.labels(model.version).set_function(lambda: time.time() - created)
        self._loaded.labels(model.version).set_function(lambda: time.time() - loaded)
        self._swaps.inc()

    def swap_failed(self, code: str) -> None:
        """Count a version that could not be loaded; `code` is that of the ModelError."""
        self._failures[code].inc()

    def polled(self, status: str) -> None:
        """Count a poll; `status` is OK or the code of the ModelError."""
        self._polls[status].inc()


class Telemetry:
    """Counts requests, the lists that were served, and the models that made them."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        ProcessCollector(registry=self.collectors)
        self._served_lists = ServedLists()
        self.collectors.register(self._served_lists)
        self.model = ModelMetrics(self.collectors, "recommender_model", self._served_lists)
        self._requests = Counter(
            "recommender_requests", "Answered requests.", ["method", "route", "status"], registry=self.collectors
        )
        self._seconds = Histogram(
            "recommender_request_seconds",
            "Time from the arrival of a request to the end of its answer.",
            ["route", "status"],
            buckets=LATENCIES,
            registry=self.collectors,
        )
        self._lists = Counter(
            "recommender_lists", "Lists of recommendations made for somebody.", ["source"], registry=self.collectors
        )
        self._short = Counter(
            "recommender_short_lists", "Lists with fewer films than asked for.", ["source"], registry=self.collectors
        )
        # The shadow's function, if there is a shadow.
        self.compare: Compare | None = None
        # The children of the metrics above: a dictionary finds one faster than `labels`.
        self._of_request: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._of_source: dict[str, tuple[Counter, Counter]] = {}

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a template, never a path."""
        key = (method, route, status)
        counters = self._of_request.get(key)
        if counters is None:
            counted = method if method in METHODS else "other"
            counters = (
                self._requests.labels(counted, route, str(status)),
                self._seconds.labels(route, str(status)),
            )
            if counted == method:
                self._of_request[key] = counters
        counters[0].inc()
        counters[1].observe(seconds)

    def served(self, source: str, item_rows: ServedRows, k: int) -> None:
        """Count one list made for somebody: its source, the rows of the answered items, and how many were asked for.

        Don't count lists that are the same for everybody on purpose (popular items, similar items, a search): they
        would count as fallbacks.
        """
        counters = self._of_source.get(source)
        if counters is None:
            counters = self._of_source[source] = (self._lists.labels(source), self._short.labels(source))
        is_short = len(item_rows) < k
        counters[0].inc()
        if is_short:
            counters[1].inc()
        self._served_lists.add(item_rows, is_fallback=source == FALLBACK, is_short=is_short)

    def served_plain(self, model: ServedModel, user_id: str, source: str, item_rows: ServedRows, k: int) -> None:
        """Count a list that was asked for by user id and k alone; a shadow may compare it with its own."""
        self.served(source, item_rows, k)
        if self.compare is not None:
            self.compare(model, user_id, item_rows, k)
