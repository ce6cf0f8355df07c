"""Keeps the overlay up to date with the store."""

import gc
import logging
import threading
import time
from collections import deque

from app.contract.artifact import LearnedEvents
from app.events.catalogue_changes import CatalogueChanges
from app.events.feed_state import CATCHING_UP, OK, UNAVAILABLE, FeedMetrics, FeedState
from app.events.overlay import Overlay, learned_until
from app.events.placements import Placements
from app.events.store import EventStore, EventStoreError
from app.events.unknown_items import UnknownItems
from app.events.waiters import Waiters

BATCH = 5000  # events that are read at once
CHECK_SECONDS = 0.02  # between two questions whether something is new
POLL_SECONDS = 1.0  # until the store is read whatever it says: a notification can be lost
CATCH_UP_SECONDS = 15.0  # that a swap waits for the overlay while events are being read
STALLED_SECONDS = 3.0  # without any being read: the store hangs
KEPT_MODELS = 2  # the loaded one, and the one that a rollback brings back

logger = logging.getLogger(__name__)


class Feed:
    """Reads the store in a thread of its own, and goes on after whatever happens to the store.

    The overlay reaches back to the lowest position that one of these has learned until: the loaded model, that on
    trial, and of each the one before, which may come back.
    """

    def __init__(
        self,
        store: EventStore,
        overlay: Overlay,
        changes: CatalogueChanges,
        metrics: FeedMetrics,
        unknown_items: UnknownItems | None = None,
        placements: Placements | None = None,
    ) -> None:
        self.state = FeedState(CATCHING_UP)
        self._store, self._overlay, self._metrics = store, overlay, metrics
        self._changes, self._unknown_items = changes, unknown_items or UnknownItems()
        self._placements = placements or Placements()
        metrics.show(lambda: self.state, lambda: len(overlay.users))
        self._floor: int | None = None  # the overlay has all events after it, up to the state's position
        self._models: dict[str, deque[LearnedEvents | None]] = {}
        self._catching_up: list[threading.Event] = []
        self._read_at = time.monotonic()
        self._woken, self._is_stopping = threading.Event(), False
        self._waiters = Waiters(self._woken)
        self.has = self._waiters.wait_for  # the events up to a position, in the overlay
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Start to follow the store."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; a store that hangs is not waited for."""
        self._is_stopping = True
        self._woken.set()
        self._thread.join(POLL_SECONDS)

    def prepare(self, purpose: str, learned: LearnedEvents | None) -> None:
        """Have the overlay reach back to what a model has learned; call it before the model answers.

        `purpose` tells apart the loaded model and that on trial. It returns as soon as the overlay does, or the store
        fails or hangs; what is missing then is read as soon as the store answers.
        """
        caught_up = threading.Event()
        self._models.setdefault(purpose, deque(maxlen=KEPT_MODELS)).append(learned)
        self._catching_up.append(caught_up)
        self._read_at = started = time.monotonic()
        self._woken.set()
        while not caught_up.wait(CHECK_SECONDS):
            now = time.monotonic()
            if now - self._read_at > STALLED_SECONDS or now - started > CATCH_UP_SECONDS:
                logger.warning("A version is loaded without all recent events: the store of events is too slow")
                return

    def _run(self) -> None:
        while not self._is_stopping:
            self._work()
        self._store.close()

    def _work(self) -> None:
        """Read what is new, then wait until something may be. Never raises."""
        try:
            self._woken.clear()
            if self._models:
                self._follow()
            self._pause()
        except Exception as error:
            # Any error here must not end the thread: the service must go on following.
            self._fail(error)
            self._woken.wait(POLL_SECONDS)

    def _follow(self) -> None:
        if self._floor is None:
            gc.disable()  # what is read first stays: to look for garbage among it took two fifths of the time
        try:
            self._catch_up()
        finally:
            gc.enable()

    def _catch_up(self) -> None:
        if self.state.heard_at is None:
            self._heard()
        catching_up = list(self._catching_up)
        self._restart_if_replaced()
        floor = min(self._learned_until())
        if self._floor is None:
            self._read_changes(floor)
            self._floor = floor
            self._moved_to(min(floor, self._store.latest()))
        elif floor < self._floor:
            self._read(floor, self._floor)
            self._floor = floor
        self._read(self.state.position)
        if floor > self._floor:
            self._overlay.drop_until(floor)
            self._floor = floor
        if self.state.status != OK:
            logger.info("The overlay has all events up to position %d", self.state.position)
        self.state = self.state._replace(status=OK, caught_up_at=time.time(), learned_until=max(self._learned_until()))
        self._release(catching_up)

    def _restart_if_replaced(self) -> None:
        store_id = self._store.id
        if store_id != self._overlay.store_id:
            self._overlay.restart(store_id)
            for each in (self._changes, self._placements, self._unknown_items):
                each.restart()
            self._floor = None

    def _learned_until(self) -> list[int]:
        learned = [each for models in list(self._models.values()) for each in list(models)]
        return [learned_until(each, self._overlay.store_id) for each in learned]

    def _read(self, after: int, until: int | None = None) -> None:
        """Add the events after a position, and up to another one or to the last."""
        while not self._is_stopping:
            events = self._store.read_after(after, BATCH)
            self._heard()
            self._overlay.add(event for event in events if until is None or event.position <= until)
            self._unknown_items.add(events)
            self._placements.add(events)
            if self._changes.add(events):
                self._changes.revise()
            if events:
                after = events[-1].position
                if until is None:
                    self._moved_to(after)
            if len(events) < BATCH or (until is not None and after >= until):
                return

    def _read_changes(self, until: int) -> None:
        """Read what editors have said up to a position, whatever models have learned; the rest comes as events."""
        after = 0
        while after < until and not self._is_stopping:
            changes = self._store.read_changes_after(after, BATCH)
            self._heard()
            known = [change for change in changes if change.position <= until]
            self._changes.add(known)
            self._placements.add(known)
            after = changes[-1].position if len(changes) == BATCH else until
        self._changes.revise()

    def _heard(self) -> None:
        self._read_at = time.monotonic()
        self.state = self.state._replace(heard_at=time.time())

    def _moved_to(self, position: int) -> None:
        self.state = self.state._replace(position=position)
        self._waiters.reached(position)

    def _release(self, catching_up: list[threading.Event]) -> None:
        for each in catching_up:
            self._catching_up.remove(each)
            each.set()

    def _fail(self, error: Exception) -> None:
        known = isinstance(error, EventStoreError)
        problem = str(error) if known else f"Following the store failed with {type(error).__name__}."
        if self.state.status != UNAVAILABLE:
            logger.warning("Answers know no newer events for now: %s", problem, exc_info=None if known else error)
        self._metrics.failures.inc()
        self.state = self.state._replace(status=UNAVAILABLE, problem=problem)
        self._release(list(self._catching_up))

    def _pause(self) -> None:
        deadline = time.monotonic() + POLL_SECONDS
        while not self._woken.wait(CHECK_SECONDS) and time.monotonic() < deadline:
            self._changes.revise_if_due()
            if self._store.wait(0):
                return
