"""A second model that is asked too and never answers: how much its lists overlap goes to the metrics."""

import logging
import random
import threading
from contextlib import suppress
from dataclasses import dataclass
from queue import Full, Queue

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.model.store import ModelStore, ServedModel
from app.observability.telemetry import ItemRows, ModelMetrics
from app.registry.follower import Follower
from app.settings import Settings

SHADOWING = "shadowing"
QUEUED = 256
TENTHS = tuple(tenth / 10 for tenth in range(11))

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """A list that was answered."""

    model: ServedModel
    user_id: str
    item_rows: list[int]
    k: int


class Shadow:
    """Follows an alias of its own, and compares off the request path: a bounded queue, one thread.

    Whatever happens to it - no such version, a damaged one, a queue that is full - no answer changes.
    """

    def __init__(self, settings: Settings, alias: str, registry: CollectorRegistry) -> None:
        self._store = ModelStore()
        metrics = ModelMetrics(registry, "recommender_shadow_model")
        followed = settings.model_copy(update={"model_alias": alias, "model_dir": None})
        self._follower = Follower(followed, self._store, metrics, doing=SHADOWING)
        self._share = settings.shadow_share
        self._is_stopped = False
        self._queue: Queue[Served | None] = Queue(QUEUED)
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._overlap = Histogram(
            "recommender_shadow_overlap",
            "Share of a list's films that the shadow's list holds too.",
            buckets=TENTHS,
            registry=registry,
        )
        lists = Counter(
            "recommender_shadow_lists",
            "Lists taken for comparison, by what became of them.",
            ["outcome"],
            registry=registry,
        )
        self._outcomes = {outcome: lists.labels(outcome) for outcome in ("compared", "dropped", "no_model", "failed")}

    def start(self) -> None:
        """Begin to follow and to compare."""
        self._follower.start()
        self._thread.start()

    def stop(self) -> None:
        """End both; what is still queued is forgotten."""
        self._follower.stop()
        self._is_stopped = True
        with suppress(Full):  # then the thread isn't waiting
            self._queue.put_nowait(None)

    def compare(self, model: ServedModel, user_id: str, item_rows: ItemRows, k: int) -> None:
        """Tell about a plain list; the set share of them is compared, later."""
        if random.random() >= self._share:  # noqa: S311 - a sample, no secret
            return
        if self._store.current is None:
            self._outcomes["no_model"].inc()
            return
        try:
            self._queue.put_nowait(Served(model, user_id, [int(row) for row in item_rows], k))
        except Full:
            self._outcomes["dropped"].inc()

    def _run(self) -> None:
        while not self._is_stopped:
            self._compare_next()

    def _compare_next(self) -> None:
        # A function of its own, so that no model is held while waiting.
        served = self._queue.get()
        if served is None:
            return
        try:
            self._overlap.observe(_overlap(served, self._store.require()))
            self._outcomes["compared"].inc()
        except Exception:
            self._outcomes["failed"].inc()
            logger.exception("The shadow could not be asked")


def _overlap(served: Served, shadow: ServedModel) -> float:
    recommender, k = shadow.recommender, served.k
    row = recommender.user_row(served.user_id)
    ranking = recommender.popular(k) if row is None else recommender.ready(row, k)
    ours, theirs = _items(served.model, served.item_rows), _items(shadow, ranking.items[0].tolist())
    return len(ours & theirs) / max(len(ours), len(theirs), 1)


def _items(model: ServedModel, rows: list[int]) -> set[str]:
    # By their ids: the same row is another film in another model.
    return set(map(str, model.artifact.item_ids[rows]))
