"""Reads the artifact of a folder in place of the registry."""

import shutil
from pathlib import Path

from app.contract.artifact_directory import content_hash
from app.contract.artifact_format import MANIFEST
from app.model.errors import ArtifactMissingError, DownloadFailedError
from app.model.registered_version import RegisteredVersion
from app.registry.cache import DISK_ERRORS, unwritable
from app.registry.download import in_our_words
from app.registry.target import Target

VERSION_DIGITS = 12  # of the content hash


class ModelFolder:
    """A folder on this machine that holds one artifact; each change of its files is a new version."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self.label = str(self._directory)

    def resolve(self) -> Target:
        """The version that the folder holds now; raises ModelError."""
        try:
            # The manifest may be copied before other files; a later file then makes a new version. Unlike the time of
            # modification, which a copy may keep, the time of change says when a file came here.
            written = max(path.stat().st_ctime_ns for path in self._files())
            return Target(
                RegisteredVersion(content_hash(self._directory)[:VERSION_DIGITS], written // 1_000_000, ""), None
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ArtifactMissingError(f"MODEL_DIR {self._directory} holds no model: {MANIFEST} is missing.") from error
        except OSError as error:
            raise DownloadFailedError(f"MODEL_DIR {self._directory} can't be read: {in_our_words(error)}") from error

    def fetch(self, registered: RegisteredVersion, into: Path) -> Path:
        """Copy the files into a new directory below `into`, as the folder may be overwritten; raises ModelError."""
        copy = into / registered.version
        try:
            copy.mkdir()
            for path in self._files():
                shutil.copyfile(path, copy / path.name)
        except OSError as error:
            if error.errno in DISK_ERRORS:
                raise unwritable(into.parent, in_our_words(error)) from error
            raise DownloadFailedError(f"MODEL_DIR {self._directory} can't be copied: {in_our_words(error)}") from error
        if content_hash(copy)[:VERSION_DIGITS] != registered.version:
            raise DownloadFailedError(
                f"MODEL_DIR {self._directory} changed while it was copied; the next poll tries again."
            )
        return copy

    def stop(self) -> None:
        """Nothing to do: copying can't be interrupted."""

    def _files(self) -> list[Path]:
        return [self._directory / MANIFEST, *self._directory.glob("*.npy"), *self._directory.glob("*.json")]
