"""The model registry: which version the alias names, and that version's files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.artifact_source import ArtifactSource
from app.errors import (
    AliasMissingError,
    ArtifactMissingError,
    DownloadFailedError,
    ModelError,
    ModelMissingError,
    VersionMissingError,
)
from app.mlflow_api import MlflowApi
from app.settings import Settings

SERVED_DIRECTORY = "artifacts/served"  # inside the registered pyfunc model


@dataclass(frozen=True)
class Release:
    """A registered version. A wiped registry gives the same numbers again, hence the other two."""

    version: str
    created: int
    run_id: str


@dataclass(frozen=True)
class Target:
    """What the alias names, and a warning where it is ambiguous."""

    release: Release
    warning: str | None


class Registry:
    """A registered model in MLflow. Its calls block, for seconds if the server is down: not for the event loop."""

    called = "the registry"  # in log lines

    def __init__(self, settings: Settings) -> None:
        self._api = MlflowApi(settings)
        self._name = settings.model_name
        self._alias = settings.model_alias
        self._source = ArtifactSource(settings, self._api)

    def resolve(self) -> Target:
        """The version that the alias names; raises ModelError."""
        missing = ModelMissingError(f"The registry has no model named {self._name!r}.")
        registered = self._ask("registered-models/get", missing)["registered_model"]
        aliases = {each["alias"]: each["version"] for each in registered.get("aliases", ())}
        version, warning = choose_version(aliases, self._alias)
        found = self._ask("model-versions/get", self._version_missing(version), version=version)["model_version"]
        release = Release(str(found["version"]), int(found["creation_timestamp"]), found.get("run_id", ""))
        return Target(release, warning)

    def fetch(self, release: Release, into: Path) -> Path:
        """Download the artifact of that very version into a new directory below `into`; raises ModelError."""
        absent = self._version_missing(release.version)
        uri = self._ask("model-versions/get-download-uri", absent, version=release.version)["artifact_uri"]
        try:
            return self._source.download(f"{uri}/{SERVED_DIRECTORY}", into)
        except ArtifactMissingError as error:
            missing = f"Version {release.version} holds no {SERVED_DIRECTORY}/ (looked in {uri})."
            raise ArtifactMissingError(missing) from error
        except DownloadFailedError as error:
            raise DownloadFailedError(f"Version {release.version} could not be downloaded: {error}") from error

    def stop(self) -> None:
        """End a download that is under way, as far as that can be done."""
        self._source.stop()

    def _ask(self, path: str, absent: ModelError, **parameters: str) -> dict[str, Any]:
        return self._api.get(f"mlflow/{path}", absent, name=self._name, **parameters)

    def _version_missing(self, version: str) -> VersionMissingError:
        return VersionMissingError(f"Version {version} of {self._name!r} is gone from the registry.")


def choose_version(aliases: Mapping[str, str], alias: str) -> tuple[str, str | None]:
    """The version with the alias in any spelling, the lower-case one first, and a warning if they disagree.

    MLflow's web page lower-cases what a person types, its API does not, so that `Production` and
    `production` can sit on different versions; the lower-case one is what a person last clicked.
    """
    spellings = {spelled: str(version) for spelled, version in aliases.items() if spelled.lower() == alias.lower()}
    if not spellings:
        raise AliasMissingError(f"No version has the alias {alias.lower()!r}.")
    chosen = alias.lower() if alias.lower() in spellings else min(spellings)
    if len(set(spellings.values())) == 1:
        return spellings[chosen], None
    found = ", ".join(f"{spelled!r} on version {version}" for spelled, version in sorted(spellings.items()))
    return spellings[chosen], f"The alias exists in several spellings ({found}); {chosen!r} is followed."
