"""Appends the events of all requests in one thread, which commits whatever has queued while the last commit ran."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.contract.events import Event
from app.errors import EventsUnavailableError
from app.events.metrics import EventMetrics
from app.events.rows import Appended
from app.events.store import EventStore, EventStoreError

MAX_WAITING = 20_000  # events; the writer takes them within a second unless the store hangs
MAX_COMMIT = 5_000  # events of one transaction, and those of the request that goes beyond
PATIENCE_SECONDS = 1.8  # a client has the answer within two seconds
STOP_SECONDS = 5

Outcome = Appended | Exception
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Request:
    """Events that wait for their commit, and whom to tell about it."""

    events: Sequence[Event]
    told: asyncio.Future[Appended]


class EventWriter:
    """The way into the store; to be used by the event loop in which it was started."""

    def __init__(self, store: EventStore, metrics: EventMetrics) -> None:
        self._store, self.metrics = store, metrics
        self._changed = threading.Condition()
        # Only to be touched with `_changed` held. A dictionary, because a request that gives up leaves from the middle.
        self._requests: dict[_Request, None] = {}
        self._waiting = 0
        self._is_stopped = False
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        metrics.waiting.set_function(lambda: self._waiting)

    def start(self) -> None:
        """Start the thread; called in the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, and end the thread, unless the store hangs."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._thread.join(STOP_SECONDS)

    async def append(self, events: Sequence[Event]) -> Appended:
        """Return once the events survive a crash; raises EventsUnavailableError if that takes too long.

        After this error the events are in the store or not: `event_id` makes it harmless to send them again.
        """
        request = _Request(events, self._loop.create_future())
        self._enqueue(request)
        try:
            return await asyncio.wait_for(request.told, PATIENCE_SECONDS)
        except asyncio.TimeoutError:
            self.metrics.failed("timeout")
            raise EventsUnavailableError(
                f"The store of events did not answer within {PATIENCE_SECONDS} seconds; send the events again."
            ) from None
        finally:
            if request in self._requests:
                self._dequeue(request)

    def _enqueue(self, request: _Request) -> None:
        with self._changed:
            is_full = self._waiting + len(request.events) > MAX_WAITING
            if not is_full:
                self._requests[request] = None
                self._waiting += len(request.events)
                self._changed.notify()
        if is_full:
            self.metrics.failed("queue_full")
            raise EventsUnavailableError(f"{MAX_WAITING} events wait to be stored; send yours again.")

    def _dequeue(self, request: _Request) -> None:
        """Take out a request that has given up, unless the writer has it by now."""
        with self._changed:
            if self._requests.pop(request, request) is None:
                self._waiting -= len(request.events)

    def _run(self) -> None:
        while requests := self._next():
            outcomes = self._commit(requests)
            self._loop.call_soon_threadsafe(_tell, requests, outcomes)
        self._store.close()

    def _next(self) -> list[_Request]:
        """The requests of the next commit; none after the end."""
        with self._changed:
            while not self._requests and not self._is_stopped:
                self._changed.wait()
            taken, n_events = [], 0
            for request in self._requests:
                if n_events >= MAX_COMMIT:
                    break
                taken.append(request)
                n_events += len(request.events)
            for request in taken:
                del self._requests[request]
            self._waiting -= n_events
        return taken

    def _commit(self, requests: Sequence[_Request]) -> list[Outcome]:
        events = [event for request in requests for event in request.events]
        try:
            appended = self._store.append(events, time.time())
        except EventStoreError as error:
            self._note_failure(error)
            return [EventsUnavailableError()] * len(requests)
        except Exception as error:
            logger.exception("The writer of events failed")
            return [error] * len(requests)
        self._note_success()
        return _shares(requests, appended)

    def _note_failure(self, error: EventStoreError) -> None:
        # One line for each outage, not for each request.
        if not self._is_failing:
            logger.error("Events are refused: %s", error)
        self._is_failing = True
        self.metrics.failed("store")

    def _note_success(self) -> None:
        if self._is_failing:
            logger.info("Events are stored again")
        self._is_failing = False
        self.metrics.commits.inc()


def _shares(requests: Sequence[_Request], appended: Appended) -> list[Outcome]:
    """What came of each request's events."""
    shares: list[Outcome] = []
    start = 0
    for request in requests:
        end = start + len(request.events)
        shares.append(Appended(appended.positions[start:end], appended.last))
        start = end
    return shares


def _tell(requests: Sequence[_Request], outcomes: Sequence[Outcome]) -> None:
    for request, outcome in zip(requests, outcomes, strict=True):
        if request.told.done():
            continue  # it has given up
        if isinstance(outcome, Exception):
            request.told.set_exception(outcome)
        else:
            request.told.set_result(outcome)
