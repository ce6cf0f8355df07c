"""The model registry: which version the alias names, and that version's files. The only user of MLflow."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from app.errors import (
    AliasMissingError,
    ArtifactMissingError,
    DownloadFailedError,
    ModelError,
    ModelMissingError,
    RegistryUnavailableError,
    VersionMissingError,
)
from app.settings import Settings

SERVED_DIRECTORY = "artifacts/served"  # inside the registered pyfunc model
MAX_REASON = 300

T = TypeVar("T")


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

    def __init__(self, settings: Settings) -> None:
        self._uri = settings.mlflow_tracking_uri
        self._name = settings.model_name
        self._alias = settings.model_alias
        self._timeout = settings.registry_timeout_seconds

    def resolve(self) -> Target:
        """The version that the alias names; raises ModelError."""
        missing = ModelMissingError(f"The registry has no model named {self._name!r}.")
        registered = self._ask(lambda mlflow, client: client.get_registered_model(self._name), missing)
        version, warning = choose_version(registered.aliases, self._alias)
        found = self._ask(
            lambda mlflow, client: client.get_model_version(self._name, version), self._version_missing(version)
        )
        return Target(Release(str(found.version), int(found.creation_timestamp), found.run_id or ""), warning)

    def fetch(self, release: Release, into: Path) -> Path:
        """Download the artifact of that very version into a new directory below `into`; raises ModelError."""
        uri = self._ask(
            lambda mlflow, client: client.get_model_version_download_uri(self._name, release.version),
            self._version_missing(release.version),
        )
        place = {"artifact_uri": f"{uri}/{SERVED_DIRECTORY}", "tracking_uri": self._uri}
        missing = ArtifactMissingError(f"Version {release.version} holds no {SERVED_DIRECTORY}/ (looked in {uri}).")
        # An absent directory is an empty list in some stores and an error, worded differently, in others.
        if not self._ask(lambda mlflow, client: _list_files(mlflow, place), missing):
            raise missing
        try:
            return Path(_mlflow(self._timeout).artifacts.download_artifacts(**place, dst_path=str(into)))
        except Exception as error:
            raise DownloadFailedError(
                f"Version {release.version} could not be downloaded: {self._reason(error)}"
            ) from error

    def _version_missing(self, version: str) -> VersionMissingError:
        return VersionMissingError(f"Version {version} of {self._name!r} is gone from the registry.")

    def _ask(self, question: Callable[[Any, Any], T], absent: ModelError) -> T:
        try:
            mlflow = _mlflow(self._timeout)
            return question(mlflow, mlflow.MlflowClient(tracking_uri=self._uri, registry_uri=self._uri))
        except Exception as error:
            # MLflow passes on what its parts raise: requests, json, urllib3, a storage client.
            if getattr(error, "error_code", None) == "RESOURCE_DOES_NOT_EXIST":
                raise absent from error
            message = f"MLflow at {self._shown(self._uri)} failed: {self._reason(error)}"
            raise RegistryUnavailableError(message) from error

    def _reason(self, error: BaseException) -> str:
        """The innermost error in one line: MLflow wraps a refused connection four times."""
        while (inner := error.__cause__ or error.__context__) is not None:
            error = inner
        return self._shown(" ".join(str(error).split()) or type(error).__name__)[:MAX_REASON]

    def _shown(self, text: str) -> str:
        """The text without the user name and password that the registry's address may hold."""
        user_info = urlsplit(self._uri).netloc.rpartition("@")[0]
        return text.replace(f"{user_info}@", "") if user_info else text


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


def _list_files(mlflow: ModuleType, place: Mapping[str, str]) -> list[Any]:
    if mlflow.__version__.startswith("2."):
        # MLflow 2 finds files on its server by the global address only and ignores the one that it is given.
        mlflow.set_tracking_uri(place["tracking_uri"])
    return list(mlflow.artifacts.list_artifacts(**place))


def _mlflow(timeout: int) -> ModuleType:
    # Without these a client blocks for minutes when the server is down. Read by MLflow when it is imported or called.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(timeout))
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # Here, in the follower's thread: importing MLflow takes seconds, starting from the cache must not.
    import mlflow
    import mlflow.artifacts

    module: ModuleType = mlflow
    return module
