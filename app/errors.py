"""Everything that can go wrong, as two trees: what a client is told, and why a model can't be served.

ServiceError                        has a status; answered as {"error": {"code", "message", "field"?}}
├── InvalidParameterError    422    a parameter or body doesn't validate, and nothing else
├── FrameworkError           4xx    the framework's own: no such route (404), method not allowed (405)
├── NoModelError             503    no model has been loaded yet
└── InternalError            500    a bug

ModelError                          has a code; shown on /model and logged, never answered
├── RegistryUnavailableError        MLflow doesn't answer, or not as MLflow does
├── ModelMissingError               no registered model of that name
├── AliasMissingError               no version has the alias
├── VersionMissingError             the version was deleted
├── ArtifactMissingError            the version holds no artifact of ours
├── DownloadFailedError             the artifact could not be fetched or stored; tried again
└── ModelRefusedError               the artifact is damaged, or of a newer format; not tried again
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.schemas import ErrorAnswer, ErrorDetail

MAX_QUOTED = 80


class ServiceError(Exception):
    """The base of what a client is told: `except ServiceError as error: error.status, error.code`."""

    status: int = 500
    code: str = "internal_error"
    headers: Mapping[str, str] | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidParameterError(ServiceError):
    """A parameter is missing or out of range; `field` names it."""

    status = 422
    code = "invalid_parameter"


class NoModelError(ServiceError):
    """No model has been loaded yet; try again shortly."""

    status = 503
    code = "no_model"


class InternalError(ServiceError):
    """A bug in the service; its log holds the traceback."""


class FrameworkError(ServiceError):
    """A status that the framework answers by itself, such as 404 and 405."""

    def __init__(self, message: str, error: HTTPException) -> None:
        super().__init__(message)
        self.status = error.status_code
        self.code = HTTPStatus(error.status_code).name.lower()
        self.headers = error.headers


class ModelError(Exception):
    """The base of why a version can't be served; `code` is what /model shows as the registry's status."""

    code: str = "unexpected"


class RegistryUnavailableError(ModelError):
    """The registry doesn't answer."""

    code = "registry_unavailable"


class ModelMissingError(ModelError):
    """The registry knows no model of that name."""

    code = "model_missing"


class AliasMissingError(ModelError):
    """No version of the model has the alias."""

    code = "alias_missing"


class VersionMissingError(ModelError):
    """The version that the alias named is gone."""

    code = "version_missing"


class ArtifactMissingError(ModelError):
    """The version has no artifact directory."""

    code = "artifact_missing"


class DownloadFailedError(ModelError):
    """The artifact could not be fetched or stored."""

    code = "download_failed"


class ModelRefusedError(ModelError):
    """The artifact was fetched and is not usable."""

    code = "artifact_refused"


def error_responses(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of a route that can answer these errors."""
    return {error.status: {"model": ErrorAnswer, "description": (error.__doc__ or "").strip()} for error in errors}


def add_error_handlers(app: FastAPI) -> None:
    """Have every error, the framework's included, answered in the one shape."""
    for kind in (ServiceError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer_error)


async def answer_error(request: Request, error: Exception) -> JSONResponse:
    """The one handler."""
    told = _as_service_error(request, error)
    answer = ErrorAnswer(error=ErrorDetail(code=told.code, message=told.message, field=told.field))
    return JSONResponse(answer.model_dump(exclude_none=True), status_code=told.status, headers=told.headers)


def _as_service_error(request: Request, error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid_parameter(error)
    if isinstance(error, HTTPException):
        return FrameworkError(_explain(request, error), error)
    return InternalError("The service failed to answer; its log says why.")


def _explain(request: Request, error: HTTPException) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"There is no route {_quoted(request.url.path)}; /docs lists all routes."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not allowed on {_quoted(request.url.path)}."
    return str(error.detail)


def _invalid_parameter(error: RequestValidationError) -> InvalidParameterError:
    problems = [(_field(problem), problem) for problem in error.errors()]
    sentences = [f"{field} is {_quoted(problem.get('input'))}: {problem['msg']}." for field, problem in problems]
    return InvalidParameterError(" ".join(sentences), field=problems[0][0])


def _field(problem: Mapping[str, Any]) -> str:
    # The first part says where: path, query, body.
    return ".".join(map(str, problem["loc"][1:])) or str(problem["loc"][0])


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"
