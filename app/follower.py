"""Follows the alias: looks at the registry now and then, and loads what it names."""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from app.cache import Entry, ModelCache
from app.errors import ModelError, ModelRefusedError
from app.registry import Registry, Release
from app.settings import Settings
from app.store import ModelStore, ServedModel, load_model

OK = "ok"
NOT_CHECKED = "not_checked"
STOP_SECONDS = 1.0
IMPATIENT_SECONDS = 1.0  # between two looks while there is no model to serve

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

    def __init__(self, settings: Settings, store: ModelStore) -> None:
        self.state = FollowerState()
        self._registry = Registry(settings)
        self._cache = ModelCache(settings)
        self._store = store
        self._poll_seconds = settings.model_poll_seconds
        self._refused: tuple[Release, ModelRefusedError] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Serve the last good version at once, if there is one, then follow the alias in the background."""
        self.load_last_good()
        self._thread.start()

    def stop(self) -> None:
        """Stop following; a look that blocks is left behind."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)

    def load_last_good(self) -> None:
        """Serve the newest usable version on disk; none is no error."""
        for entry in self._cache.entries():
            if self._load_cached(entry):
                return

    def poll(self) -> None:
        """Look at the alias once and load what it names, if that is new. Never raises."""
        version = None
        try:
            target = self._registry.resolve()
            version = target.release.version
            self._warn(target.warning)
            self._follow(target.release)
        except ModelError as error:
            self._fail(error, version)
        except Exception as error:
            # Whatever it is, a service that has a model must go on following.
            unexpected = ModelError(f"Looking at the registry failed with {type(error).__name__}: {error}")
            unexpected.__cause__ = error
            self._fail(unexpected, version)
        else:
            self._succeed()

    def _run(self) -> None:
        while True:
            self.poll()
            waiting = self._store.current is None
            if self._stopping.wait(min(self._poll_seconds, IMPATIENT_SECONDS) if waiting else self._poll_seconds):
                return

    def _follow(self, release: Release) -> None:
        current = self._store.current
        if current is not None and current.release == release:
            return
        if self._refused is not None and self._refused[0] == release:
            # Without a traceback: it would grow with every raise.
            raise self._refused[1].with_traceback(None)
        entry = self._cache.find(release)
        if entry is not None and self._load_cached(entry):
            self._cache.keep(entry)
            return
        try:
            self._load_downloaded(release)
        except ModelRefusedError as error:
            self._refused = (release, error)
            raise

    def _load_cached(self, entry: Entry) -> bool:
        try:
            model = load_model(entry.directory, entry.release)
        except ModelRefusedError as error:
            logger.warning("The cached version %s is not usable: %s", entry.release.version, error)
            self._cache.discard(entry)
            return False
        self._serve(model, "from the cache")
        return True

    def _load_downloaded(self, release: Release) -> None:
        with self._cache.download_directory() as directory:
            artifact = self._registry.fetch(release, directory)
            model = load_model(artifact, release)
            # The mapped files survive the move that follows, and even their removal.
            self._serve(model, "from the registry")
            self._cache.add(release, artifact, model.content_hash)

    def _serve(self, model: ServedModel, origin: str) -> None:
        former = self._store.current
        self._store.swap(model)
        before = f", instead of version {former.version}" if former is not None else ""
        logger.info("Serving version %s %s%s", model.version, origin, before)

    def _warn(self, warning: str | None) -> None:
        if warning is not None and warning != self.state.warning:
            logger.warning("%s", warning)
        self.state = replace(self.state, warning=warning)

    def _fail(self, error: ModelError, version: str | None) -> None:
        now, known = datetime.now(timezone.utc), self.state.last_problem
        if self.state.status != error.code or known is None or known.version != version:
            known = Problem(error.code, str(error), version, now)
            unexpected = type(error) is ModelError
            kept = "keeps serving" if self._store.current is not None else "has no model to serve"
            logger.warning("The service %s: %s", kept, error, exc_info=error.__cause__ if unexpected else None)
        self.state = replace(self.state, status=error.code, checked_at=now, last_problem=known)

    def _succeed(self) -> None:
        now = datetime.now(timezone.utc)
        if self.state.status not in (OK, NOT_CHECKED):
            logger.info("The registry and the service agree again")
        self.state = replace(self.state, status=OK, checked_at=now, succeeded_at=now)
