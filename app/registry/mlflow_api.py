"""Calls MLflow's REST API, as far as following an alias needs it.

MLflow's own client takes more memory than the rest of a worker, and seconds to import. It runs only in a process of its
own (download.py), for files in a store that the server does not hand out.
Source: MLflow's REST API reference, version 2.0 of the API.
"""

import base64
import json
import ssl
from functools import cache
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit
from urllib.request import Request, build_opener

from pydantic import BaseModel, NonNegativeInt, ValidationError

from app.model.errors import (
    ArtifactMissingError,
    DownloadFailedError,
    ModelError,
    RegistryForbiddenError,
    RegistryUnavailableError,
)
from app.registry.download import in_our_words
from app.registry.paced import BriefRedirects, PacedHandler, PacedTlsHandler
from app.settings import Settings

Kind = TypeVar("Kind", bound=BaseModel)

MAX_ANSWER_BYTES = 1 << 24
ABSENT = "RESOURCE_DOES_NOT_EXIST"
FILES = "mlflow-artifacts/artifacts"
BLOCK = 1 << 20
NO_FILES = frozenset({"", ".", ".."})


class RemoteFile(BaseModel):
    """A file that the server hands out, or a directory."""

    path: str
    is_dir: bool = False
    file_size: NonNegativeInt = 0


class _Listing(BaseModel):
    files: list[RemoteFile] = []


class _Done(BaseModel):
    """The answer to a change, which tells nothing."""


class MlflowApi:
    """An MLflow server. Calls block; one that is silent, or drips, counts as down after REGISTRY_TIMEOUT_SECONDS."""

    def __init__(self, settings: Settings) -> None:
        parts = urlsplit(settings.mlflow_tracking_uri)
        user_info, _, host = parts.netloc.rpartition("@")
        self._address = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._authorization = _authorization(settings, user_info)
        self._timeout = settings.registry_timeout_seconds
        tls = _tls(
            settings.mlflow_tracking_server_cert_path,
            settings.mlflow_tracking_client_cert_path,
            settings.mlflow_tracking_insecure_tls,
        )
        self._opener = build_opener(PacedHandler(), PacedTlsHandler(context=tls), BriefRedirects())

    def get(self, path: str, kind: type[Kind], absent: ModelError, /, **parameters: str) -> Kind:
        """The answer to a GET; raises `absent` if MLflow says that it does not exist, else RegistryUnavailableError."""
        return self._asked(kind, absent, f"{path}?{urlencode(parameters)}")

    def send(self, method: str, path: str, absent: ModelError, /, **content: str) -> None:
        """Change something; raises RegistryForbiddenError where the account may not, and else what `get` raises."""
        self._asked(_Done, absent, path, method, json.dumps(content).encode())

    def _asked(
        self, kind: type[Kind], absent: ModelError, path: str, method: str = "GET", sent: bytes | None = None
    ) -> Kind:
        try:
            status, body = self._answer(path, method, sent)
        except (OSError, HTTPException, ValueError) as error:
            raise self._unavailable(f"failed: {in_our_words(error)}") from error
        if status == HTTPStatus.FORBIDDEN:
            raise RegistryForbiddenError(f"MLflow at {self._address} answered with the status {status}")
        if status != HTTPStatus.OK:
            raise absent if _error_code(body) == ABSENT else self._unavailable(f"answered with the status {status}")
        try:
            return kind.model_validate_json(body)
        except ValidationError as error:
            raise self._unavailable(f"gave an answer that MLflow never gives: {_first_problem(error)}") from error

    def list_files(self, path: str) -> list[RemoteFile]:
        """The files of a directory on the server; empty, or ArtifactMissingError, if there is no such directory."""
        listed = self.get(FILES, _Listing, ArtifactMissingError(f"there is no {path}"), path=path).files
        # A name that holds a path could point out of the directory that the file is saved in.
        return [each for each in listed if not each.is_dir and each.path == Path(each.path).name not in NO_FILES]

    def save(self, path: str, target: Path, size: int) -> None:
        """Download one file; raises HTTPException or OSError, DownloadFailedError if it does not have this size."""
        try:
            response = self._opened(f"{FILES}/{quote(path)}")
        except HTTPError as error:
            error.close()  # it holds the connection
            raise DownloadFailedError(f"MLflow answered with the status {error.code}") from error
        with response, target.open("xb") as file:
            copied = 0
            while copied <= size and (block := response.read(BLOCK)):
                copied += file.write(block)
        if copied != size:
            raise DownloadFailedError(f"{target.name} has {size} bytes, but {copied} were received")

    def _answer(self, path: str, method: str, sent: bytes | None) -> tuple[int, bytes]:
        try:
            response: HTTPResponse | HTTPError = self._opened(path, method, sent)
        except HTTPError as error:
            response = error
        with response:
            return response.status or 0, response.read(MAX_ANSWER_BYTES)

    def _opened(self, path: str, method: str = "GET", sent: bytes | None = None) -> HTTPResponse:
        address = f"{self._address}/api/2.0/{path}"
        kind = {} if sent is None else {"Content-Type": "application/json"}
        request = Request(address, sent, kind, method=method)  # noqa: S310 - the settings allow only http and https
        if self._authorization is not None:
            # The password is not sent on if the server redirects to another host.
            request.add_unredirected_header("Authorization", self._authorization)
        response: HTTPResponse = self._opener.open(request, timeout=self._timeout)
        return response

    def _unavailable(self, problem: str) -> RegistryUnavailableError:
        return RegistryUnavailableError(f"MLflow at {self._address} {problem}")


def _authorization(settings: Settings, user_info: str) -> str | None:
    name, password = settings.mlflow_tracking_username, settings.mlflow_tracking_password
    if name is not None and password is not None:
        return _basic(f"{name}:{password.get_secret_value()}")
    if settings.mlflow_tracking_token is not None:
        return f"Bearer {settings.mlflow_tracking_token.get_secret_value()}"
    return _basic(unquote(user_info)) if user_info else None


def _basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


@cache  # reading the system's authorities takes longer than all else that a registry needs
def _tls(authorities: Path | None, own: Path | None, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    if insecure:
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


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    place, found = ".".join(map(str, problem["loc"])), problem["input"]
    # A value is named. A page, or more of an answer, is not shown: it may repeat what was sent.
    if not place or isinstance(found, dict | list):
        return f"{place or 'the body'}: {problem['msg']}"
    return f"{place} is {found!r:.80}: {problem['msg']}"
