"""What the service counts while it runs, for Prometheus; docs/api.md lists it.

For routes: `telemetry.served(source, item_rows, k)`, once for each list made for somebody, and instead of it
`telemetry.served_plain(model, user_id, source, item_rows, k)` for a known id asked for nothing but k.
One process counts for itself; where several answer, each is scraped by itself.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from app.errors import MODEL_ERROR_CODES
from app.model.store import ServedModel
from app.observability.served_lists import Recent

OK = "ok"  # how a look at the registry went that found nothing wrong
FALLBACK = "popular"  # the source of a list that nobody's taste went into
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
LATENCIES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
MILLISECONDS = 1000

ItemRows = Sequence[int] | npt.NDArray[np.integer]
Compare = Callable[[ServedModel, str, ItemRows, int], None]


class ModelMetrics:
    """How following one alias goes; `prefix` begins every name, `recent` is what its model served."""

    def __init__(self, registry: CollectorRegistry, prefix: str, recent: Recent | None = None) -> None:
        self._recent = recent
        self._info = Gauge(
            f"{prefix}_info", "1, with what serves.", ["version", "family", "content_hash"], registry=registry
        )
        self._age = Gauge(f"{prefix}_age_seconds", "Since the version was registered.", ["version"], registry=registry)
        self._loaded = Gauge(f"{prefix}_loaded_seconds", "Since it was loaded.", ["version"], registry=registry)
        self._swaps = Counter(f"{prefix}_swaps", "Versions put in service, the first included.", registry=registry)
        failures = Counter(
            f"{prefix}_swap_failures", "Attempts to load a version that failed.", ["code"], registry=registry
        )
        polls = Counter(f"{prefix}_polls", "Looks at the registry, by how they went.", ["status"], registry=registry)
        # All from the start, so that the first failure is a step from 0 that a rate can see.
        self._failures = {code: failures.labels(code) for code in MODEL_ERROR_CODES}
        self._polls = {status: polls.labels(status) for status in (OK, *MODEL_ERROR_CODES)}

    def swapped(self, model: ServedModel) -> None:
        """A version was put in service."""
        if self._recent is not None:
            self._recent.forget(model.recommender.n_items)
        for gauge in (self._info, self._age, self._loaded):
            gauge.clear()
        self._info.labels(model.version, model.artifact.recipe.family, model.content_hash).set(1)
        created, loaded = model.release.created / MILLISECONDS, model.loaded_at.timestamp()
        self._age.labels(model.version).set_function(lambda: time.time() - created)
        self._loaded.labels(model.version).set_function(lambda: time.time() - loaded)
        self._swaps.inc()

    def swap_failed(self, code: str) -> None:
        """A version could not be put in service, for the reason of that ModelError."""
        self._failures[code].inc()

    def polled(self, status: str) -> None:
        """A look at the registry ended."""
        self._polls[status].inc()


class Telemetry:
    """Counts requests, what was served, and the models it came from."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._recent = Recent()
        self.registry.register(self._recent)
        self.model = ModelMetrics(self.registry, "recommender_model", self._recent)
        self._requests = Counter(
            "recommender_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "recommender_request_seconds",
            "From a request's arrival to the end of its answer.",
            ["route", "status"],
            buckets=LATENCIES,
            registry=self.registry,
        )
        self._lists = Counter(
            "recommender_lists", "Lists of recommendations made for somebody.", ["source"], registry=self.registry
        )
        self._short = Counter(
            "recommender_short_lists", "Those with fewer films than asked for.", ["source"], registry=self.registry
        )
        # What a shadow is told of, if there is one.
        self.compare: Compare | None = None
        # The children of the metrics above: finding one in a dictionary is cheaper than `labels`.
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

    def served(self, source: str, item_rows: ItemRows, k: int) -> None:
        """Count one list made for somebody: its source, the rows of its items, how many were asked for.

        `item_rows` holds what is in the answer and no padding. Not for lists that are the same for everybody
        on purpose (popular films on demand, similar films, a search): they would count as fallbacks.
        """
        counters = self._of_source.get(source)
        if counters is None:
            counters = self._of_source[source] = (self._lists.labels(source), self._short.labels(source))
        is_short = len(item_rows) < k
        counters[0].inc()
        if is_short:
            counters[1].inc()
        self._recent.add(item_rows, is_fallback=source == FALLBACK, is_short=is_short)

    def served_plain(self, model: ServedModel, user_id: str, source: str, item_rows: ItemRows, k: int) -> None:
        """Count a list that was asked for by user id and k alone, which a shadow may compare with its own."""
        self.served(source, item_rows, k)
        if self.compare is not None:
            self.compare(model, user_id, item_rows, k)
