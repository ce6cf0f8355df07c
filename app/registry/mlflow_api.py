"""Calls MLflow's REST API, as far as following an alias needs it.

MLflow's own client takes more memory than the rest of a worker, and seconds to import. It runs only in a process of its
own (download.py), for files in a store that the server does not hand out.
Source: MLflow's REST API reference, version 2.0 of the API.
"""

import base64
import json
import ssl
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit
from urllib.request import HTTPSHandler, Request, build_opener

from app.errors import ArtifactMissingError, ModelError, RegistryUnavailableError
from app.registry.download import in_one_line
from app.settings import Settings

MAX_ANSWER_BYTES = 1 << 24
ABSENT = "RESOURCE_DOES_NOT_EXIST"
FILES = "mlflow-artifacts/artifacts"
BLOCK = 1 << 20
NO_FILES = frozenset({"", ".", ".."})


@dataclass(frozen=True)
class RemoteFile:
    """A file that the server hands out."""

    name: str
    size: int


class MlflowApi:
    """An MLflow server. Calls block; a silent server counts as down after REGISTRY_TIMEOUT_SECONDS."""

    def __init__(self, settings: Settings) -> None:
        parts = urlsplit(settings.mlflow_tracking_uri)
        self._user_info, _, host = parts.netloc.rpartition("@")
        self._address = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._authorization = _authorization(settings, self._user_info)
        self._timeout = settings.registry_timeout_seconds
        self._opener = build_opener(HTTPSHandler(context=_tls(settings)))

    def get(self, path: str, absent: ModelError, /, **parameters: str) -> dict[str, Any]:
        """The answer to a GET; raises `absent` if MLflow says that it does not exist, else RegistryUnavailableError."""
        try:
            with self._opened(f"{path}?{urlencode(parameters)}") as response:
                answer = json.loads(response.read(MAX_ANSWER_BYTES))
        except HTTPError as error:
            with error:
                body = error.read(MAX_ANSWER_BYTES)
            if _error_code(body) == ABSENT:
                raise absent from error
            problem = f"{error.code} {error.reason}: {body.decode(errors='replace')}"
            raise self._unavailable(problem) from error
        except (OSError, HTTPException, ValueError) as error:
            raise self._unavailable(in_one_line(error)) from error
        if not isinstance(answer, dict):
            raise self._unavailable(f"it answered {answer!r}")
        return answer

    def list_files(self, path: str) -> list[RemoteFile]:
        """The files of a directory on the server; empty, or ArtifactMissingError, if there is no such directory."""
        absent = ArtifactMissingError(f"there is no {path}")
        listed = self.get(FILES, absent, path=path).get("files", ())
        # A name that holds a path could point out of the directory that the file is saved in.
        files = [RemoteFile(file["path"], int(file["file_size"])) for file in listed if not file["is_dir"]]
        return [file for file in files if file.name == Path(file.name).name and file.name not in NO_FILES]

    def save(self, path: str, target: Path, size: int) -> None:
        """Download one file; raises HTTPException, or OSError, also if the file does not have this size."""
        try:
            response = self._opened(f"{FILES}/{quote(path)}")
        except HTTPError as error:
            error.close()  # it holds the connection
            raise
        with response, target.open("xb") as file:
            copied = 0
            while copied <= size and (block := response.read(BLOCK)):
                copied += file.write(block)
        if copied != size:
            raise OSError(f"{target.name} has {size} bytes, but {copied} were received")

    def shown(self, text: str) -> str:
        """The text without the user name and password that the server's address may hold."""
        return text.replace(f"{self._user_info}@", "") if self._user_info else text

    def _opened(self, path: str) -> HTTPResponse:
        request = Request(f"{self._address}/api/2.0/{path}")  # noqa: S310 - the settings allow only http and https
        if self._authorization is not None:
            # The password is not sent on if the server redirects to another host.
            request.add_unredirected_header("Authorization", self._authorization)
        response: HTTPResponse = self._opener.open(request, timeout=self._timeout)
        return response

    def _unavailable(self, problem: str) -> RegistryUnavailableError:
        return RegistryUnavailableError(f"MLflow at {self._address} failed: {self.shown(in_one_line(problem))}")


def _authorization(settings: Settings, user_info: str) -> str | None:
    name, password = settings.mlflow_tracking_username, settings.mlflow_tracking_password
    if name is not None and password is not None:
        return _basic(f"{name}:{password.get_secret_value()}")
    if settings.mlflow_tracking_token is not None:
        return f"Bearer {settings.mlflow_tracking_token.get_secret_value()}"
    return _basic(unquote(user_info)) if user_info else None


def _basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def _tls(settings: Settings) -> ssl.SSLContext:
    authorities, own = settings.mlflow_tracking_server_cert_path, settings.mlflow_tracking_client_cert_path
    context = ssl.create_default_context(cafile=authorities)
    if settings.mlflow_tracking_insecure_tls:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if own is not None:
        context.load_cert_chain(own)
    return context


def _error_code(body: bytes) -> object:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer.get("error_code") if isinstance(answer, dict) else None
