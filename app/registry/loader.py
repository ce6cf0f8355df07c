"""Loads the versions that a follower finds."""

import logging
from collections.abc import Callable

from app.contract.artifact import LearnedEvents
from app.model.errors import ModelError, ModelNotLoadedError, ModelRefusedError
from app.model.registered_version import RegisteredVersion
from app.model.store import ModelStore, ServedModel, load_model
from app.observability.telemetry import ModelMetrics
from app.registry.cache import Entry, ModelCache
from app.registry.folder import ModelFolder
from app.registry.mlflow_registry import Registry
from app.settings import Settings

Prepare = Callable[[str, LearnedEvents | None], None]

logger = logging.getLogger(__name__)


class Loader:
    """Puts versions into a store, from the cache where they are in it; one that was refused is not tried again."""

    def __init__(
        self,
        source: Registry | ModelFolder,
        settings: Settings,
        store: ModelStore,
        metrics: ModelMetrics,
        purpose: str,
        prepare: Prepare | None,
    ) -> None:
        self._source, self._store, self._metrics = source, store, metrics
        self._purpose, self._prepare = purpose, prepare
        # A folder needs no cache, and the cache holds the registry's versions only.
        self._is_cached, self._cache = settings.model_dir is None, ModelCache(settings)
        self._refused: tuple[RegisteredVersion, str] | None = None
        self._failure: tuple[RegisteredVersion, str] | None = None  # the last one, with its error's code
        self._polls_failed = 0  # so often in succession

    def load_last_good(self) -> None:
        """Load the newest usable version on disk, if there is one."""
        for entry in self._cache.entries() if self._is_cached else ():
            if self._load_cached(entry):
                return

    def load(self, registered: RegisteredVersion) -> None:
        """Load a version unless it is loaded; raises ModelError, counted if it keeps the version from being loaded."""
        current = self._store.loaded
        if current is not None and current.registered == registered:
            return
        try:
            self._load(registered)
        except ModelError as error:
            # Count only if the swap, not just caching, failed.
            if self._store.loaded is current:
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
        former = self._store.current
        if self._prepare is not None:
            self._prepare(self._purpose, model.artifact.events)
        self._store.swap(model)
        self._metrics.swapped(model)
        before = f", instead of version {former.version}" if former is not None else ""
        logger.info("%s version %s %s%s", self._purpose.capitalize(), model.version, origin, before)
