"""Writes what is counted in memory into the store of events every few seconds, in a thread of its own."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from prometheus_client import Counter

from app.events.store import EventStore, EventStoreError

FLUSH_SECONDS = 10.0
STOP_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Flushed(ABC):
    """Flushes until it is stopped; a crash or a long outage of the store loses what waits, and fails no request."""

    def __init__(self, what: str, store: EventStore, failures: Counter) -> None:
        self._what, self._store, self._failures = what, store, failures
        self._is_failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Store what is left, unless the store hangs, and end the thread."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    @abstractmethod
    def flush(self) -> None:
        """Append what was counted to the store; what it does not take waits for the next time."""

    def _is_stored(self, append: Callable[[], None]) -> bool:
        """Whether the store took what is appended; one line for each outage, not for each attempt."""
        try:
            append()
        except EventStoreError as error:
            if not self._is_failing:
                logger.warning("%s wait for the store: %s", self._what.capitalize(), error)
            self._is_failing = True
            self._failures.inc()
            return False
        self._is_failing = False
        return True

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self._try_to_flush()
        self._try_to_flush()
        self._store.close()

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except Exception:
            # Any error here must not end the thread: people go on looking at lists.
            logger.exception("%s could not be stored", self._what.capitalize())
