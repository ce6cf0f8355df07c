"""Follows the alias, or a folder: looks there now and then, and loads what is named or found."""

import logging
import math
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from queue import Empty, SimpleQueue

from app.errors import ModelError, ModelRefusedError
from app.model.release import Release
from app.model.store import ModelStore, ServedModel, load_model
from app.observability.telemetry import OK, ModelMetrics
from app.registry.cache import Entry, ModelCache
from app.registry.folder import ModelFolder
from app.registry.mlflow_registry import Registry
from app.settings import Settings

NOT_CHECKED = "not_checked"
STOP_SECONDS = 1.0
IMPATIENT_SECONDS = 1.0  # between two looks while there is no model to serve
SERVING = "serving"  # what a follower's model is for, as log lines say it

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """Why the version that the alias names does not serve."""

    code: str
    message: str
    version: str | None
    at: datetime


@dataclass(frozen=True)
class FollowerState:
    """How the last look at the registry went; replaced as a whole, so a reader never sees half of it."""

    status: str = NOT_CHECKED
    checked_at: datetime | None = None
    succeeded_at: datetime | None = None
    warning: str | None = None
    last_problem: Problem | None = None


class Follower:
    """Keeps the store at the version that the alias names, whatever happens to the registry.

    A daemon thread rather than an asyncio task: a look may block for seconds, and asyncio waits at its end
    for the threads that it lent.
    """

    def __init__(self, settings: Settings, store: ModelStore, metrics: ModelMetrics, *, doing: str = SERVING) -> None:
        self.state = FollowerState()
        self._metrics = metrics
        self._doing = doing
        self._source = Registry(settings) if settings.model_dir is None else ModelFolder(settings.model_dir)
        # A folder of this machine is its own last good copy, and the cache's would be of the registry.
        self._is_cached = settings.model_dir is None
        self._cache = ModelCache(settings)
        self._store = store
        self._poll_seconds = settings.model_poll_seconds
        self._refused: tuple[Release, ModelRefusedError] | None = None
        # Who waits for a look; None ends the thread.
        self._asked: SimpleQueue[Future[FollowerState] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"follower ({doing})", daemon=True)

    def start(self) -> None:
        """Serve the last good version at once, if there is one, then follow the alias in the background."""
        if self._doing == SERVING:
            self.load_last_good()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; a look that blocks is left behind, a download ended."""
        self._asked.put(None)
        self._source.stop()
        self._thread.join(STOP_SECONDS)

    def look_now(self) -> "Future[FollowerState]":
        """Have the thread look at once: the state after a look that began after this call."""
        future: Future[FollowerState] = Future()
        self._asked.put(future)
        return future

    def load_last_good(self) -> None:
        """Serve the newest usable version on disk; none is no error."""
        for entry in self._cache.entries() if self._is_cached else ():
            if self._load_cached(entry):
                return

    def poll(self) -> None:
        """Look at the alias once and load what it names, if that is new. Never raises."""
        version = None
        try:
            target = self._source.resolve()
            version = target.release.version
            self._warn(target.warning)
            self._follow(target.release)
        except ModelError as error:
            self._fail(error, version)
        except Exception as error:
            # Whatever it is, a service that has a model must go on following.
            unexpected = ModelError(f"Looking at {self._source.called} failed with {type(error).__name__}: {error}")
            unexpected.__cause__ = error
            self._fail(unexpected, version)
        else:
            self._succeed()

    def _run(self) -> None:
        if self._doing != SERVING:
            self.load_last_good()  # nobody waits for it
        waiting: list[Future[FollowerState] | None] = []
        while None not in waiting:
            self.poll()
            for future in waiting:
                if future is not None and future.set_running_or_notify_cancel():
                    future.set_result(self.state)
            waiting = self._pause()

    def _pause(self) -> list[Future[FollowerState] | None]:
        """Wait for the next look; who asked for it meanwhile."""
        impatient = self._doing == SERVING and self._store.current is None
        try:
            asked = [self._asked.get(timeout=min(self._poll_seconds, IMPATIENT_SECONDS if impatient else math.inf))]
        except Empty:
            return []
        while not self._asked.empty():
            asked.append(self._asked.get())
        return asked

    def _follow(self, release: Release) -> None:
        current = self._store.current
        if current is not None and current.release == release:
            return
        if self._refused is not None and self._refused[0] == release:
            # Without a traceback: it would grow with every raise.
            raise self._refused[1].with_traceback(None)
        entry = self._cache.find(release) if self._is_cached else None
        if entry is not None and self._load_cached(entry):
            self._cache.keep(entry)
            return
        try:
            self._load_downloaded(release)
        except ModelError as error:
            if isinstance(error, ModelRefusedError):
                # A copy without the traceback, whose frames hold the files mapped.
                self._refused = (release, ModelRefusedError(str(error)))
            # It may serve and only not be cached.
            if self._store.current is current:
                self._metrics.swap_failed(error.code)
            raise

    def _load_cached(self, entry: Entry) -> bool:
        try:
            model = load_model(entry.directory, entry.release)
        except ModelRefusedError as error:
            logger.warning("The cached version %s is not usable: %s", entry.release.version, error)
            self._metrics.swap_failed(error.code)
            self._cache.discard(entry)
            return False
        self._serve(model, "from the cache")
        return True

    def _load_downloaded(self, release: Release) -> None:
        with self._cache.download_directory() as directory:
            artifact = self._source.fetch(release, directory)
            model = load_model(artifact, release)
            # The mapped files survive the move that follows, and even their removal.
            self._serve(model, f"from {self._source.called}")
            if self._is_cached:
                self._cache.add(release, artifact, model.content_hash)

    def _serve(self, model: ServedModel, origin: str) -> None:
        former = self._store.current
        self._store.swap(model)
        self._metrics.swapped(model)
        before = f", instead of version {former.version}" if former is not None else ""
        logger.info("%s version %s %s%s", self._doing.capitalize(), model.version, origin, before)

    def _warn(self, warning: str | None) -> None:
        if warning is not None and warning != self.state.warning:
            logger.warning("%s", warning)
        self.state = replace(self.state, warning=warning)

    def _fail(self, error: ModelError, version: str | None) -> None:
        now, known = datetime.now(timezone.utc), self.state.last_problem
        if self.state.status != error.code or known is None or known.version != version:
            known = Problem(error.code, str(error), version, now)
            unexpected = type(error) is ModelError
            kept = "keeps" if self._store.current is not None else "has no model for"
            cause = error.__cause__ if unexpected else None
            logger.warning("The service %s %s: %s", kept, self._doing, error, exc_info=cause)
        self._metrics.polled(error.code)
        self.state = replace(self.state, status=error.code, checked_at=now, last_problem=known)

    def _succeed(self) -> None:
        now = datetime.now(timezone.utc)
        if self.state.status not in (OK, NOT_CHECKED):
            logger.info("The service agrees with %s again", self._source.called)
        self._metrics.polled(OK)
        self.state = replace(self.state, status=OK, checked_at=now, succeeded_at=now)
