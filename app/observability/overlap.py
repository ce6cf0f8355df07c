"""Compares lists that people get with those that a version on trial would have given them, which nobody gets."""

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.model.profile import Profile
from app.model.selection import rank
from app.model.store import ModelStore, ServedModel
from app.observability.served_lists import NotedList, ReadyList, rows_of

COMPARED_SHARE = 0.1  # of the plain lists
QUEUED = 256
TENTHS = tuple(tenth / 10 for tenth in range(11))

ProfileOf = Callable[[ServedModel, str], Profile]

logger = logging.getLogger(__name__)


class ServedList(NamedTuple):
    """A list that the live version has answered."""

    model: ServedModel
    user_id: str
    noted: NotedList | ReadyList


class Overlap:
    """Compares in one thread, from a bounded queue.

    Whatever happens to the other version (none, a damaged one, a full queue), no answer changes.
    """

    def __init__(self, other: ModelStore, profile_of: ProfileOf, collectors: CollectorRegistry) -> None:
        """`other` holds the version to compare with; `profile_of` gives the profile of a user."""
        self._other, self._profile_of = other, profile_of
        self._is_stopped = False
        self._queue: Queue[ServedList | None] = Queue(QUEUED)
        self._thread = threading.Thread(target=self._run, name="overlap", daemon=True)
        self._overlap = Histogram(
            "recommender_challenger_overlap",
            "Share of a list's films that are in the challenger's list, too.",
            buckets=TENTHS,
            registry=collectors,
        )
        lists = Counter(
            "recommender_compared_lists", "Lists taken for comparison, by outcome.", ["outcome"], registry=collectors
        )
        self._outcomes = {outcome: lists.labels(outcome) for outcome in ("compared", "dropped", "no_model", "failed")}

    def start(self) -> None:
        """Start to compare."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; lists still in the queue are not compared."""
        self._is_stopped = True
        with suppress(Full):  # a thread whose queue is full does not wait
            self._queue.put_nowait(None)

    def offer(self, model: ServedModel, user_id: str, noted: NotedList | ReadyList) -> None:
        """Offer a plain list; one in ten is compared."""
        if random.random() >= COMPARED_SHARE:  # noqa: S311 - a sample needs no secret
            return
        if self._other.current is None:
            self._outcomes["no_model"].inc()
            return
        try:
            self._queue.put_nowait(ServedList(model, user_id, noted))
        except Full:
            self._outcomes["dropped"].inc()

    def _run(self) -> None:
        while not self._is_stopped:
            self._compare_next()

    def _compare_next(self) -> None:
        # A function of its own: while it waits, no local variable keeps a model in memory.
        served = self._queue.get()
        if served is None:
            return
        try:
            self._overlap.observe(_overlap(served, self._other.require(), self._profile_of))
            self._outcomes["compared"].inc()
        except Exception:
            self._outcomes["failed"].inc()
            logger.exception("A list could not be compared with the challenger's")


def _overlap(served: ServedList, other: ServedModel, profile_of: ProfileOf) -> float:
    ranking = rank(other, profile_of(other, served.user_id), served.noted.length)
    ours = _items(served.model, rows_of(served.noted, served.model.artifact).tolist())
    theirs = _items(other, ranking.items[0].tolist())
    return len(ours & theirs) / max(len(ours), len(theirs), 1)


def _items(model: ServedModel, rows: list[int]) -> set[str]:
    # Ids, because a row means another item in another model.
    return set(map(str, model.artifact.item_ids[rows]))
