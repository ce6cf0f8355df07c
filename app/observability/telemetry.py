"""Counts what the process does, for Prometheus, which scrapes each of them; docs/operation.md lists the metrics."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector

from app.model.errors import MODEL_ERROR_CODES
from app.model.store import ServedModel
from app.observability.counters import ListCounters, RequestCounters
from app.observability.served_lists import NotedList, ReadyList, ServedLists

OK = "ok"  # the outcome of a poll that found nothing wrong
FALLBACK = "popular"  # the source of a list that the user's own history has no part in


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
        self.swaps = 0
        self._swaps = Counter(f"{prefix}_swaps", "Versions loaded, the first included.", registry=collectors)
        failures = Counter(
            f"{prefix}_swap_failures", "Failed attempts to load a version, by cause.", ["code"], registry=collectors
        )
        polls = Counter(f"{prefix}_polls", "Registry polls by outcome.", ["status"], registry=collectors)
        # All labels exist from the start, so that a rate sees the first failure as a step from 0.
        self._failures = {code: failures.labels(code) for code in MODEL_ERROR_CODES}
        self._polls = {status: polls.labels(status) for status in (OK, *MODEL_ERROR_CODES)}
        self._polled_at = time.monotonic()
        age = Gauge(f"{prefix}_poll_age_seconds", "Time since the last registry poll.", registry=collectors)
        age.set_function(lambda: time.monotonic() - self._polled_at)

    def swapped(self, model: ServedModel) -> None:
        """Count a swap, and describe the loaded version."""
        if self._served_lists is not None:
            self._served_lists.restart(model.artifact)
        self.let_go()
        described = model.described
        self._info.labels(described.version, described.family, described.content_hash).set(1)
        created, loaded = described.registered_at.timestamp(), described.loaded_at.timestamp()
        self._age.labels(model.version).set_function(lambda: time.time() - created)
        self._loaded.labels(model.version).set_function(lambda: time.time() - loaded)
        self._swaps.inc()
        self.swaps += 1

    def let_go(self) -> None:
        """Describe no version: it was let go."""
        for gauge in (self._info, self._age, self._loaded):
            gauge.clear()

    def swap_failed(self, code: str) -> None:
        """Count a version that could not be loaded; `code` is that of the ModelError."""
        self._failures[code].inc()

    def polled(self, status: str) -> None:
        """Count a poll; `status` is OK or the code of the ModelError."""
        self._polls[status].inc()
        self._polled_at = time.monotonic()


class Telemetry:
    """Counts requests, the lists that were served, and the models that made them."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        ProcessCollector(registry=self.collectors)
        self.served_lists = ServedLists()
        self.collectors.register(self.served_lists)
        self.model = ModelMetrics(self.collectors, "recommender_model", self.served_lists)
        self.requests, self.lists = RequestCounters(), ListCounters()
        for figures in (self.requests, self.lists):
            self.collectors.register(figures)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a template, never a path."""
        self.requests.of(method, route, status).add(seconds)

    def served(self, model: ServedModel, source: str, one: NotedList | ReadyList) -> None:
        """Count one list made for somebody; only the event loop does, so it needs no lock.

        Lists of another version than the live one, as in a trial, are not among the recent ones: their rows mean other
        items.
        """
        self.lists.add(source, is_short=one.is_short)
        self.served_lists.add(model.artifact, one)
