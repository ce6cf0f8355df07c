"""Finds the version that an alias names in MLflow's registry, and downloads its files."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel

from app.contract.alias import PREVIOUS, PRODUCTION, SEEN_LIVE, resolve_alias
from app.model.errors import (
    AliasMissingError,
    ArtifactMissingError,
    DownloadFailedError,
    ModelError,
    ModelMissingError,
    VersionMissingError,
)
from app.model.registered_version import Milliseconds, RegisteredVersion, Version
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


class _Versions(BaseModel):
    model_versions: list[_Version] = []


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
        aliased = resolve_alias(self._aliases(), self._alias)
        if aliased is None:
            raise AliasMissingError(f"No version has the alias {self._alias.lower()!r}.")
        version, warning = aliased
        return _target(self._version(version), warning)

    def versions(self) -> list[tuple[Target, list[str]]]:
        """The 100 newest versions, the newest first, each with its aliases; raises ModelError."""
        aliases = self._aliases()
        quote = '"' if "'" in self._name else "'"
        found = self._api.get(
            "mlflow/model-versions/search",
            _Versions,
            self._model_missing(),
            filter=f"name={quote}{self._name}{quote}",
            order_by="version_number DESC",
            max_results="100",
        )
        names: dict[str, list[str]] = {}
        for alias, version in sorted(aliases.items()):
            names.setdefault(version, []).append(alias)
        return [(_target(each), names.get(each.version, [])) for each in found.model_versions]

    def promote(self, version: str) -> None:
        """Give the alias, in lower case, to a version, and note which was live before; raises ModelError."""
        self._version(version)
        aliases, alias = self._aliases(), self._alias.lower()
        former = resolve_alias(aliases, alias)
        self._move(aliases, alias, version)
        # For `python -m training rollback`, which knows only the one alias.
        if alias == PRODUCTION and former is not None and former.version != version:
            self._move(aliases, PREVIOUS, former.version)
            self._send("POST", "registered-models/set-tag", key=SEEN_LIVE, value=version)

    def fetch(self, registered: RegisteredVersion, into: Path) -> Path:
        """Download the artifact of this version into a new directory below `into`; raises ModelError."""
        absent = self._version_missing(registered.version)
        uri = self._ask(
            "model-versions/get-download-uri", _FilesAnswer, absent, version=registered.version
        ).artifact_uri
        try:
            return self._source.download(f"{uri}/{SERVED_DIRECTORY}", into)
        except ArtifactMissingError as error:
            raise ArtifactMissingError(f"Version {registered.version} holds no {SERVED_DIRECTORY}/.") from error
        except DownloadFailedError as error:
            raise DownloadFailedError(f"Version {registered.version} could not be downloaded: {error}") from error

    def stop(self) -> None:
        """End a download, if one runs in a process of its own."""
        self._source.stop()

    def _aliases(self) -> dict[str, str]:
        registered = self._ask("registered-models/get", _ModelAnswer, self._model_missing()).registered_model
        return {each.alias: each.version for each in registered.aliases}

    def _version(self, version: str) -> _Version:
        absent = self._version_missing(version)
        return self._ask("model-versions/get", _VersionAnswer, absent, version=version).model_version

    def _move(self, aliases: Mapping[str, str], alias: str, version: str) -> None:
        """Write the lower-case spelling and remove the others: MLflow would keep them side by side."""
        self._send("POST", "registered-models/alias", alias=alias, version=version)
        for spelling in aliases:
            if spelling.lower() == alias and spelling != alias:
                self._send("DELETE", "registered-models/alias", alias=spelling)

    def _send(self, method: str, path: str, **content: str) -> None:
        self._api.send(method, f"mlflow/{path}", self._model_missing(), name=self._name, **content)

    def _model_missing(self) -> ModelMissingError:
        return ModelMissingError(f"The registry has no model named {self._name!r}.")

    def _ask(self, path: str, kind: type[Kind], absent: ModelError, **parameters: str) -> Kind:
        return self._api.get(f"mlflow/{path}", kind, absent, name=self._name, **parameters)

    def _version_missing(self, version: str) -> VersionMissingError:
        return VersionMissingError(f"Version {version} of {self._name!r} is gone from the registry.")


def _target(found: _Version, warning: str | None = None) -> Target:
    registered = RegisteredVersion(found.version, found.creation_timestamp, found.run_id)
    return Target(registered, warning, {tag.key: tag.value for tag in found.tags})
