"""Keeps downloaded versions on disk, so that the service can start while MLflow is down.

<root>/<model name>/3-0123456789ab/     an artifact: version, then the start of its content hash
<root>/<model name>/production.json     the last good versions of the alias, newest first
<root>/<model name>/.download-x7f2/     a download in progress
"""

import errno
import json
import logging
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from app.model.errors import DownloadFailedError
from app.model.registered_version import RegisteredVersion
from app.registry.download import in_our_words
from app.settings import Settings

# What the system answers if the cache's disk, not the source, is to blame.
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
KEPT = 2  # the current version and the one before it
DOWNLOAD_PREFIX = ".download-"
ABANDONED_SECONDS = 3600
# Files with other names are never read or removed: the settings may name any directory.
ENTRY_NAME = re.compile(r"[0-9]+-[0-9a-f]{12}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A version in the cache."""

    registered: RegisteredVersion
    directory: Path


class ModelCache:
    """The cached versions of one model and one alias. Several processes may share the directory."""

    def __init__(self, settings: Settings) -> None:
        self._directory = settings.model_cache_dir.absolute() / quote(settings.model_name, safe=" ")
        self._index = self._directory / f"{settings.model_alias.lower()}.json"

    def entries(self) -> list[Entry]:
        """The last good versions of the alias, newest first."""
        return [entry for entry in self._listed(self._index) if entry.directory.is_dir()]

    def find(self, registered: RegisteredVersion) -> Entry | None:
        """The entry of a version, if it is in the cache."""
        return next((entry for entry in self.entries() if entry.registered == registered), None)

    @contextmanager
    def download_directory(self) -> Iterator[Path]:
        """A new directory in the cache, removed at the end with all that was not added."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            directory = Path(tempfile.mkdtemp(prefix=DOWNLOAD_PREFIX, dir=self._directory))
        except OSError as error:
            raise unwritable(self._directory, in_our_words(error)) from error
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def add(self, registered: RegisteredVersion, artifact: Path, content_hash: str) -> None:
        """Move a verified download into the cache and keep it."""
        place = self._directory / f"{registered.version}-{content_hash[:12]}"
        # If the place is taken, another process has put the same bytes there.
        if not place.exists():
            with _told_as_cache_failure(registered):
                artifact.rename(place)
        self.keep(Entry(registered, place))

    def keep(self, entry: Entry) -> None:
        """Make this the last good version, and remove entries that no alias needs any more."""
        with _told_as_cache_failure(entry.registered):
            self._write_index([entry, *(other for other in self.entries() if other.directory != entry.directory)])
            self._remove_unused()

    def discard(self, entry: Entry) -> None:
        """Remove a damaged version."""
        shutil.rmtree(entry.directory, ignore_errors=True)

    def _listed(self, index: Path) -> list[Entry]:
        try:
            listed = json.loads(index.read_text(encoding="utf-8"))["entries"]
            return [
                Entry(RegisteredVersion(**entry["release"]), self._directory / entry["directory"])
                for entry in listed
                if ENTRY_NAME.fullmatch(entry["directory"])
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s can't be read and is ignored: %s", index, error)
            return []

    def _write_index(self, entries: list[Entry]) -> None:
        listed = [{"directory": entry.directory.name, "release": asdict(entry.registered)} for entry in entries[:KEPT]]
        partial = self._directory / f"{DOWNLOAD_PREFIX}{uuid4().hex}"
        try:
            partial.write_text(json.dumps({"entries": listed}, indent=1), encoding="utf-8")
            partial.replace(self._index)
        finally:
            partial.unlink(missing_ok=True)

    def _remove_unused(self) -> None:
        # List the files before reading the indexes: an entry that another process adds meanwhile is then kept.
        # If it is removed all the same, that process goes on with its mapped files until its next start.
        present = list(self._directory.iterdir())
        used = {entry.directory for index in self._directory.glob("*.json") for entry in self._listed(index)}
        for path in present:
            abandoned = path.name.startswith(DOWNLOAD_PREFIX) and _age(path) > ABANDONED_SECONDS
            if abandoned or (ENTRY_NAME.fullmatch(path.name) and path not in used):
                shutil.rmtree(path, ignore_errors=True)


def unwritable(place: Path, problem: str) -> DownloadFailedError:
    """The error that names the setting of the cache's folder."""
    return DownloadFailedError(f"MODEL_CACHE_DIR can't be written at {place}: {problem}")


@contextmanager
def _told_as_cache_failure(registered: RegisteredVersion) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        problem = f"Version {registered.version} serves, but can't be cached in MODEL_CACHE_DIR: {in_our_words(error)}"
        raise DownloadFailedError(problem) from error


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0
