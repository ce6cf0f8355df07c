"""Compares the answered lists with those of a second version, the shadow, which never answers itself."""

import logging
import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Full, Queue

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.contract.trial import RUNNING, STATE
from app.model.profile import Profile, learned_profile
from app.model.selection import rank
from app.model.store import ModelStore, Revise, ServedModel
from app.observability.telemetry import ModelMetrics, ServedRows
from app.registry.follower import Follower, Prepare
from app.registry.target import Target
from app.settings import Settings

SHADOWING = "shadowing"
QUEUED = 256
TENTHS = tuple(tenth / 10 for tenth in range(11))

ProfileOf = Callable[[ServedModel, str], Profile]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedList:
    """A list that the live version has answered."""

    model: ServedModel
    user_id: str
    item_rows: list[int]
    k: int


class RestingFollower(Follower):
    """Lets its version go while that is on trial: it then answers people, and is loaded already."""

    def _follow(self, target: Target) -> None:
        if target.tags.get(STATE) != RUNNING:
            super()._follow(target)
        elif self.store.current is not None:
            self._let_go()
            logger.info("The shadow rests: version %s is on trial", target.release.version)


class Shadow:
    """Follows an alias of its own, and compares lists in one thread, from a bounded queue.

    Whatever happens to the shadow (no version, a damaged one, a full queue), no answer changes.
    """

    def __init__(
        self,
        settings: Settings,
        alias: str,
        collectors: CollectorRegistry,
        *,
        profile_of: ProfileOf = learned_profile,
        prepare: Prepare | None = None,
        rests: bool = False,
        revise: Revise | None = None,
    ) -> None:
        """`profile_of` gives the profile of a user; `prepare` is called before each swap; `revise` as in ModelStore.

        `rests` says that the shadow is not loaded while its version is on trial.
        """
        self.store, self._profile_of = ModelStore(revise), profile_of
        metrics = ModelMetrics(collectors, "recommender_shadow_model")
        followed = settings.model_copy(update={"model_alias": alias, "model_dir": None})
        follow = RestingFollower if rests else Follower
        self.follower = follow(followed, self.store, metrics, purpose=SHADOWING, prepare=prepare)
        self._share = settings.shadow_share
        self._is_stopped = False
        self._queue: Queue[ServedList | None] = Queue(QUEUED)
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._overlap = Histogram(
            "recommender_shadow_overlap",
            "Share of a list's films that are in the shadow's list, too.",
            buckets=TENTHS,
            registry=collectors,
        )
        lists = Counter(
            "recommender_shadow_lists",
            "Lists taken for comparison, by outcome.",
            ["outcome"],
            registry=collectors,
        )
        self._outcomes = {outcome: lists.labels(outcome) for outcome in ("compared", "dropped", "no_model", "failed")}

    def start(self) -> None:
        """Start to follow the alias and to compare."""
        self.follower.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop both; lists still in the queue are not compared."""
        self.follower.stop()
        self._is_stopped = True
        with suppress(Full):  # a thread whose queue is full does not wait
            self._queue.put_nowait(None)

    def compare(self, model: ServedModel, user_id: str, item_rows: ServedRows, k: int) -> None:
        """Offer a plain list; the thread compares the share of them that SHADOW_SHARE names."""
        if random.random() >= self._share:  # noqa: S311 - a sample needs no secret
            return
        if self.store.current is None:
            self._outcomes["no_model"].inc()
            return
        try:
            self._queue.put_nowait(ServedList(model, user_id, [int(row) for row in item_rows], k))
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
            self._overlap.observe(_overlap(served, self.store.require(), self._profile_of))
            self._outcomes["compared"].inc()
        except Exception:
            self._outcomes["failed"].inc()
            logger.exception("The shadow failed to compare a list")


def _overlap(served: ServedList, shadow: ServedModel, profile_of: ProfileOf) -> float:
    ranking = rank(shadow, profile_of(shadow, served.user_id), served.k)
    ours, theirs = _items(served.model, served.item_rows), _items(shadow, ranking.items[0].tolist())
    return len(ours & theirs) / max(len(ours), len(theirs), 1)


def _items(model: ServedModel, rows: list[int]) -> set[str]:
    # Ids, because a row means another item in another model.
    return set(map(str, model.artifact.item_ids[rows]))
