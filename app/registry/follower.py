"""Polls the alias, or a folder, and loads the version that it finds."""

import logging
import math
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from queue import Empty, SimpleQueue

from app.model.errors import ModelError
from app.model.store import ModelStore
from app.observability.telemetry import OK, ModelMetrics
from app.registry.folder import ModelFolder
from app.registry.loader import Loader, Prepare
from app.registry.mlflow_registry import Registry
from app.registry.target import Target
from app.settings import Settings

NOT_CHECKED = "not_checked"
STOP_SECONDS = 1.0
MAX_POLL_SECONDS_WITHOUT_MODEL = 1.0
SERVING = "serving"  # the purpose of a follower's model, as log lines say it

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """Why the version that the alias names is not loaded."""

    code: str
    message: str
    version: str | None
    at: datetime


@dataclass(frozen=True)
class FollowerState:
    """The outcome of the last poll; replaced as a whole, so that a reader never sees half of it."""

    status: str = NOT_CHECKED
    checked_at: datetime | None = None
    succeeded_at: datetime | None = None
    warning: str | None = None
    last_problem: Problem | None = None
    target: Target | None = None  # what the last poll with the status `ok` found


class Follower:
    """Keeps the store at the version that the alias names, whatever happens to the registry.

    It runs in a daemon thread. A poll may block for seconds, and an asyncio task in a thread pool would delay the end
    of the process by that.
    """

    def __init__(
        self,
        settings: Settings,
        store: ModelStore,
        metrics: ModelMetrics,
        *,
        purpose: str = SERVING,
        prepare: Prepare | None = None,
    ) -> None:
        """`prepare` is called before each swap with the purpose and what the version has learned of recorded events."""
        self.state = FollowerState()
        self.store, self._metrics, self._purpose = store, metrics, purpose
        self._source = Registry(settings) if settings.model_dir is None else ModelFolder(settings.model_dir)
        self._loader = Loader(self._source, settings, store, metrics, purpose, prepare)
        self._poll_seconds = settings.model_poll_seconds
        # The callers that wait for a poll; None ends the thread.
        self._asked: SimpleQueue[Future[FollowerState] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"follower ({purpose})", daemon=True)

    def start(self) -> None:
        """Load the last good version at once, if there is one, then follow the alias in the background."""
        if self._purpose == SERVING:
            self.load_last_good()
        self._thread.start()

    def stop(self) -> None:
        """Stop following: end a download, and wait a moment for a poll, but not for one that blocks."""
        self._asked.put(None)
        self._source.stop()
        self._thread.join(STOP_SECONDS)

    def poll_now(self) -> "Future[FollowerState]":
        """Ask the thread to poll at once; the future is the state after a poll that began after this call."""
        future: Future[FollowerState] = Future()
        self._asked.put(future)
        return future

    def load_last_good(self) -> None:
        """Load the newest usable version on disk, if there is one."""
        self._loader.load_last_good()

    def poll(self) -> None:
        """Resolve the alias once and load its version if it is new. Never raises."""
        version = None
        try:
            target = self._source.resolve()
            version = target.registered.version
            self._warn(target.warning)
            self._follow(target)
        except ModelError as error:
            self._fail(error, version)
        except Exception as error:
            # Any error here must not end the thread: the service must go on following.
            unexpected = ModelError(f"Polling {self._source.label} failed with {type(error).__name__}.")
            unexpected.__cause__ = error
            self._fail(unexpected, version)
        else:
            self._succeed(target)

    def _run(self) -> None:
        if self._purpose != SERVING:
            self.load_last_good()  # in the thread: the start need not wait for it
        waiting: list[Future[FollowerState] | None] = []
        while None not in waiting:
            self.poll()
            for future in waiting:
                if future is not None and future.set_running_or_notify_cancel():
                    future.set_result(self.state)
            waiting = self._pause()

    def _pause(self) -> list[Future[FollowerState] | None]:
        """Wait until it is time to poll; returns the callers that have asked for it."""
        lacks_model = self._purpose == SERVING and self.store.current is None
        seconds = min(self._poll_seconds, MAX_POLL_SECONDS_WITHOUT_MODEL if lacks_model else math.inf)
        try:
            asked = [self._asked.get(timeout=seconds)]
        except Empty:
            return []
        while not self._asked.empty():
            asked.append(self._asked.get())
        return asked

    def _follow(self, target: Target) -> None:
        self._loader.load(target.registered)

    def _warn(self, warning: str | None) -> None:
        if warning is not None and warning != self.state.warning:
            logger.warning("%s", warning)
        self.state = replace(self.state, warning=warning)

    def _fail(self, error: ModelError, version: str | None) -> None:
        now, known = datetime.now(timezone.utc), self.state.last_problem
        met = Problem(error.code, str(error), version, now)
        if self.state.status != error.code or known is None or replace(known, at=now) != met:
            known, current, purpose = met, self.store.current, self._purpose
            doing = f"Not {purpose} yet" if current is None else f"Still {purpose} version {current.version}"
            is_unexpected = type(error) is ModelError
            logger.warning("%s: %s", doing, error, exc_info=error.__cause__ if is_unexpected else None)
        self._metrics.polled(error.code)
        self.state = replace(self.state, status=error.code, checked_at=now, last_problem=known)

    def _succeed(self, target: Target) -> None:
        now = datetime.now(timezone.utc)
        if self.state.status not in (OK, NOT_CHECKED):
            logger.info("Following %s works again", self._source.label)
        self._metrics.polled(OK)
        self.state = replace(self.state, status=OK, checked_at=now, succeeded_at=now, target=target)
