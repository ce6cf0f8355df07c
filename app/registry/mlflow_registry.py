"""Finds the version that an alias names in MLflow's registry, and downloads its files."""

from pathlib import Path

from pydantic import BaseModel

from app.contract.alias import resolve_alias
from app.errors import (
    AliasMissingError,
    ArtifactMissingError,
    DownloadFailedError,
    ModelError,
    ModelMissingError,
    VersionMissingError,
)
from app.model.release import Milliseconds, Release, Version
from app.registry.artifact_source import ArtifactSource
from app.registry.mlflow_api import Kind, MlflowApi
from app.registry.target import Target
from app.settings import Settings

SERVED_DIRECTORY = "artifacts/served"  # inside the registered pyfunc model


class _Alias(BaseModel):
    alias: str
    version: Version


class _Model(BaseModel):
    aliases: list[_Alias] = []


class _ModelAnswer(BaseModel):
    registered_model: _Model


class _Tag(BaseModel):
    key: str
    value: str = ""


class _Version(BaseModel):
    version: Version
    creation_timestamp: Milliseconds
    run_id: str = ""
    tags: list[_Tag] = []


class _VersionAnswer(BaseModel):
    model_version: _Version


class _FilesAnswer(BaseModel):
    artifact_uri: str


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
        registered = self._ask("registered-models/get", _ModelAnswer, missing).registered_model
        aliased = resolve_alias({each.alias: each.version for each in registered.aliases}, self._alias)
        if aliased is None:
            raise AliasMissingError(f"No version has the alias {self._alias.lower()!r}.")
        version, warning = aliased
        absent = self._version_missing(version)
        found = self._ask("model-versions/get", _VersionAnswer, absent, version=version).model_version
        release = Release(found.version, found.creation_timestamp, found.run_id)
        return Target(release, warning, {tag.key: tag.value for tag in found.tags})

    def fetch(self, release: Release, into: Path) -> Path:
        """Download the artifact of this version into a new directory below `into`; raises ModelError."""
        absent = self._version_missing(release.version)
        uri = self._ask("model-versions/get-download-uri", _FilesAnswer, absent, version=release.version).artifact_uri
        try:
            return self._source.download(f"{uri}/{SERVED_DIRECTORY}", into)
        except ArtifactMissingError as error:
            raise ArtifactMissingError(f"Version {release.version} holds no {SERVED_DIRECTORY}/.") from error
        except DownloadFailedError as error:
            raise DownloadFailedError(f"Version {release.version} could not be downloaded: {error}") from error

    def stop(self) -> None:
        """End a download, if one runs in a process of its own."""
        self._source.stop()

    def _ask(self, path: str, kind: type[Kind], absent: ModelError, **parameters: str) -> Kind:
        return self._api.get(f"mlflow/{path}", kind, absent, name=self._name, **parameters)

    def _version_missing(self, version: str) -> VersionMissingError:
        return VersionMissingError(f"Version {version} of {self._name!r} is gone from the registry.")
