"""Finds the version that an alias names in MLflow's registry, and downloads its files."""

from pathlib import Path
from typing import Any

from app.contract.alias import resolve_alias
from app.errors import (
    AliasMissingError,
    ArtifactMissingError,
    DownloadFailedError,
    ModelError,
    ModelMissingError,
    VersionMissingError,
)
from app.model.release import Release
from app.registry.artifact_source import ArtifactSource
from app.registry.mlflow_api import MlflowApi
from app.registry.target import Target
from app.settings import Settings

SERVED_DIRECTORY = "artifacts/served"  # inside the registered pyfunc model


class Registry:
    """A registered model in MLflow. Calls block, for seconds if the server is down: keep them off the event loop."""

    label = "the registry"  # how log lines call it

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
        aliased = resolve_alias(aliases, self._alias)
        if aliased is None:
            raise AliasMissingError(f"No version has the alias {self._alias.lower()!r}.")
        version, warning = aliased
        found = self._ask("model-versions/get", self._version_missing(version), version=version)["model_version"]
        release = Release(str(found["version"]), int(found["creation_timestamp"]), found.get("run_id", ""))
        return Target(release, warning, {tag["key"]: tag["value"] for tag in found.get("tags", ())})

    def fetch(self, release: Release, into: Path) -> Path:
        """Download the artifact of this version into a new directory below `into`; raises ModelError."""
        absent = self._version_missing(release.version)
        uri = self._ask("model-versions/get-download-uri", absent, version=release.version)["artifact_uri"]
        try:
            return self._source.download(f"{uri}/{SERVED_DIRECTORY}", into)
        except ArtifactMissingError as error:
            missing = f"Version {release.version} holds no {SERVED_DIRECTORY}/ in {uri}."
            raise ArtifactMissingError(missing) from error
        except DownloadFailedError as error:
            raise DownloadFailedError(f"Version {release.version} could not be downloaded: {error}") from error

    def stop(self) -> None:
        """End a download, if one runs in a process of its own."""
        self._source.stop()

    def _ask(self, path: str, absent: ModelError, **parameters: str) -> dict[str, Any]:
        return self._api.get(f"mlflow/{path}", absent, name=self._name, **parameters)

    def _version_missing(self, version: str) -> VersionMissingError:
        return VersionMissingError(f"Version {version} of {self._name!r} is gone from the registry.")
