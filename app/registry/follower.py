"""Polls the alias, or a folder, and loads the version that it finds."""

import logging
import math
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from queue import Empty, SimpleQueue

from app.contract.artifact import LearnedEvents
from app.model.errors import ModelError, ModelNotLoadedError, ModelRefusedError
from app.model.registered_version import RegisteredVersion
from app.model.store import ModelStore, ServedModel, load_model
from app.observability.telemetry import OK, ModelMetrics
from app.registry.cache import Entry, ModelCache
from app.registry.folder import ModelFolder
from app.registry.mlflow_registry import Registry
from app.registry.target import Target
from app.settings import Settings

NOT_CHECKED = "not_checked"
STOP_SECONDS = 1.0
MAX_POLL_SECONDS_WITHOUT_MODEL = 1.0
SERVING = "serving"  # the purpose of a follower's model, as log lines say it

Prepare = Callable[[str, LearnedEvents | None], None]

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
        self._metrics = metrics
        self._purpose = purpose
        self._prepare = prepare
        self._source = Registry(settings) if settings.model_dir is None else ModelFolder(settings.model_dir)
        # A folder needs no cache, and the cache holds the registry's versions only.
        self._is_cached = settings.model_dir is None
        self._cache = ModelCache(settings)
        self.store = store
        self._poll_seconds = settings.model_poll_seconds
        self._refused: tuple[RegisteredVersion, str] | None = None
        self._failure: tuple[RegisteredVersion, str] | None = None  # the last one, with its error's code
        self._polls_failed = 0  # so often in succession
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
        for entry in self._cache.entries() if self._is_cached else ():
            if self._load_cached(entry):
                return

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
        current, registered = self.store.loaded, target.registered
        if current is not None and current.registered == registered:
            return
        try:
            self._load(registered)
        except ModelError as error:
            # Count only if the swap, not just caching, failed.
            if self.store.loaded is current:
                self._count_failure(registered, error)
            raise

    def _load(self, registered: RegisteredVersion) -> None:
        if self._refused is not None and self._refused[0] == registered:
            raise ModelRefusedError(self._refused[1])
        entry = self._cache.find(registered) if self._is_cached else None
        if entry is not None and self._load_cached(entry):
            self._cache.keep(entry)
            return
        try:
            self._load_downloaded(registered)
        except ModelRefusedError as error:
            # Keep the sentence alone: an error keeps the models that the frames of its traceback know.
            self._refused = (registered, str(error))
            raise

    def _count_failure(self, registered: RegisteredVersion, error: ModelError) -> None:
        """Count a refused version once, and other failures at each poll.

        A folder counts from the second poll on that finds it the same: until then it may be incomplete, as somebody is
        copying files into it.
        """
        failure = (registered, error.code)
        self._polls_failed = self._polls_failed + 1 if failure == self._failure else 1
        self._failure = failure
        first = 1 if self._is_cached else 2
        if self._polls_failed == first or (self._polls_failed > first and not isinstance(error, ModelRefusedError)):
            self._metrics.swap_failed(error.code)

    def _load_cached(self, entry: Entry) -> bool:
        try:
            model = load_model(entry.directory, entry.registered)
        except ModelRefusedError as error:
            logger.warning("The cached version %s is not usable: %s", entry.registered.version, error)
            self._metrics.swap_failed(error.code)
            self._cache.discard(entry)
            return False
        except ModelNotLoadedError as error:
            # The entry may be the only copy of the last good version.
            logger.warning("The cached version %s is kept, but was not loaded: %s", entry.registered.version, error)
            self._metrics.swap_failed(error.code)
            return False
        self._serve(model, "from the cache")
        return True

    def _load_downloaded(self, registered: RegisteredVersion) -> None:
        with self._cache.download_directory() as directory:
            artifact = self._source.fetch(registered, directory)
            model = load_model(artifact, registered)
            # The mapped files survive being moved, and even being removed.
            self._serve(model, f"from {self._source.label}")
            if self._is_cached:
                self._cache.add(registered, artifact, model.described.content_hash)

    def _serve(self, model: ServedModel, origin: str) -> None:
        former = self.store.current
        if self._prepare is not None:
            self._prepare(self._purpose, model.artifact.events)
        self.store.swap(model)
        self._metrics.swapped(model)
        before = f", instead of version {former.version}" if former is not None else ""
        logger.info("%s version %s %s%s", self._purpose.capitalize(), model.version, origin, before)

    def _let_go(self) -> None:
        self.store.clear()
        self._metrics.let_go()

    def _warn(self, warning: str | None) -> None:
        if warning is not None and warning != self.state.warning:
            logger.warning("%s", warning)
        self.state = replace(self.state, warning=warning)

    def _fail(self, error: ModelError, version: str | None) -> None:
        now, known = datetime.now(timezone.utc), self.state.last_problem
        met = Problem(error.code, str(error), version, now)
        if self.state.status != error.code or known is None or replace(known, at=now) != met:
            known = met
            unexpected = type(error) is ModelError
            current = self.store.current
            doing = (
                f"Not {self._purpose} yet" if current is None else f"Still {self._purpose} version {current.version}"
            )
            cause = error.__cause__ if unexpected else None
            logger.warning("%s: %s", doing, error, exc_info=cause)
        self._metrics.polled(error.code)
        self.state = replace(self.state, status=error.code, checked_at=now, last_problem=known)

    def _succeed(self, target: Target) -> None:
        now = datetime.now(timezone.utc)
        if self.state.status not in (OK, NOT_CHECKED):
            logger.info("Following %s works again", self._source.label)
        self._metrics.polled(OK)
        self.state = replace(self.state, status=OK, checked_at=now, succeeded_at=now, target=target)
