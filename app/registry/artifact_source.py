"""Downloads the files of a registered version, from the MLflow server or from a store that MLflow's client reads."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from app.model.errors import ArtifactMissingError, DownloadFailedError, ModelError
from app.registry.cache import DISK_ERRORS, unwritable
from app.registry.download import in_our_words, innermost
from app.registry.mlflow_api import MlflowApi
from app.settings import Settings

ROOT = Path(__file__).parents[2]  # where `python -m app.registry.download` finds its package
MOST_SECONDS = 3600  # of a download by MLflow's client, which tells nothing meanwhile
PROXIED = "mlflow-artifacts"  # the scheme of files that the server hands out


class ArtifactSource:
    """Downloads directories. Calls block until the download ends."""

    def __init__(self, settings: Settings, api: MlflowApi) -> None:
        self._api = api
        self._environment = os.environ | _for_mlflow(settings)
        self._process: subprocess.Popen[str] | None = None

    def download(self, uri: str, into: Path) -> Path:
        """Download a directory into a new one below `into`; raises ArtifactMissingError or DownloadFailedError."""
        try:
            parts = urlsplit(uri)
            if parts.scheme == PROXIED and not parts.netloc:
                return self._from_server(parts.path.strip("/"), into)
            return self._with_client(uri, into)
        except ModelError:
            raise
        except Exception as error:
            raise _failure(in_our_words(error), getattr(innermost(error), "errno", None), into) from error

    def stop(self) -> None:
        """End a download by MLflow's client, if one is running."""
        if self._process is not None:
            self._process.kill()

    def _from_server(self, path: str, into: Path) -> Path:
        files = self._api.list_files(path)
        if not files:
            raise ArtifactMissingError(f"there are no files in {path}")
        directory = into / path.rpartition("/")[2]
        directory.mkdir(parents=True)
        for file in files:
            self._api.save(f"{path}/{file.path}", directory / file.path, file.file_size)
        return directory

    def _with_client(self, uri: str, into: Path) -> Path:
        answer = self._asked(uri, str(into.absolute()))
        if "missing" in answer:
            raise ArtifactMissingError(f"there are no files in {uri}")
        if "directory" not in answer:
            raise _failure(answer["failed"], answer.get("errno"), into)
        return Path(answer["directory"])

    def _asked(self, uri: str, into: str) -> dict[str, Any]:
        command, pipe = [sys.executable, "-m", "app.registry.download", uri, into], subprocess.PIPE
        # Clients of some stores download into TMPDIR first, which could be another disk.
        environment = self._environment | {"TMPDIR": into}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) as self._process:
            try:
                output, _ = self._process.communicate(timeout=MOST_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                return {"failed": f"MLflow's client did not end within {MOST_SECONDS} seconds"}
        try:
            answer: dict[str, Any] = json.loads(output.rstrip().rpartition("\n")[2])
        except ValueError:
            return {"failed": f"MLflow's client ended with exit code {self._process.returncode}"}
        return answer


def _failure(problem: str, number: int | None, into: Path) -> DownloadFailedError:
    return unwritable(into.parent, problem) if number in DISK_ERRORS else DownloadFailedError(problem)


def _for_mlflow(settings: Settings) -> dict[str, str]:
    """The environment of MLflow's client."""
    variables = {
        # Without these the client blocks for minutes if the server is down.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(settings.registry_timeout_seconds),
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_CONFIGURE_LOGGING": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    for name, value in settings.model_dump().items():
        if name.startswith("mlflow_") and value is not None:
            variables[name.upper()] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return variables
