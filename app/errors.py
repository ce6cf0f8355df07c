"""Everything that can go wrong, as two trees: what a client is told, and why a model can't be served.

ServiceError                        has a status; answered as {"error": {"code", "message", "field"?, "request_id"}}
├── UnauthorizedError        401    a key or token is needed, and was not sent or is not the right one
├── InvalidParameterError    422    a parameter or body doesn't validate, and nothing else
├── UnknownItemsError        422    none of the films that a taste is told by is known
├── UnknownUserError         404    the model has no such user, on routes that are about a user's past
├── UnknownItemError         404    the model has no such film
├── BodyTooLargeError        413    more bytes than any body needs
├── FrameworkError           4xx    the framework's own: no such route (404), method not allowed (405)
├── NoModelError             503    no model has been loaded yet
├── StoppingError            503    the process is about to end
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

import reprlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from app import schemas

MAX_QUOTED = 80
MAX_PROBLEMS = 5


class TracedErrorDetail(schemas.ErrorDetail):
    """What went wrong, and in which request."""

    request_id: str = Field(
        description="The header X-Request-ID of the request, or what we made up; log lines hold it.",
        examples=["0f8fad5bd9cb469fa16570867728950e"],
    )


class ErrorAnswer(schemas.ErrorAnswer):
    """The body of every answer with a status of 400 or more."""

    error: TracedErrorDetail


class ServiceError(Exception):
    """The base of what a client is told: `except ServiceError as error: error.status, error.code`."""

    status: int = 500
    code: str = "internal_error"
    headers: Mapping[str, str] | None = None
    example: str = "The service failed to answer; its log says why."
    example_field: str | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidParameterError(ServiceError):
    """A parameter is missing or out of range; `field` names it."""

    status = 422
    code = "invalid_parameter"
    example = "k is '0': Input should be greater than or equal to 1."
    example_field = "k"


class UnknownItemsError(ServiceError):
    """None of the films in `liked` and `disliked` is known; the popular ones may do instead."""

    status = 422
    code = "items_unknown"
    example = "None of the films in liked and disliked is known: '900001', '900002'."


class UnknownUserError(ServiceError):
    """The model knows no such user."""

    status = 404
    code = "user_unknown"
    example = "The model knows no user '900001'."


class UnknownItemError(ServiceError):
    """The model knows no such film."""

    status = 404
    code = "item_unknown"
    example = "The model knows no film '900001'."


class BodyTooLargeError(ServiceError):
    """The body has more bytes than are accepted."""

    status = 413
    code = "body_too_large"
    example = "The body has more than 1048576 bytes."


class NoModelError(ServiceError):
    """No model has been loaded yet; try again shortly."""

    status = 503
    code = "no_model"
    example = "No model has been loaded yet; /model says what is missing."


class StoppingError(ServiceError):
    """The process is about to end; others answer."""

    status = 503
    code = "stopping"


class UnauthorizedError(ServiceError):
    """A key or token is needed, and was not sent or is not the right one."""

    status = 401
    code = "unauthorized"

    def __init__(self, message: str, *, scheme: str) -> None:
        super().__init__(message)
        self.headers = {"WWW-Authenticate": scheme}


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


# What `code` of a model error can be: labels of metrics.
MODEL_ERROR_CODES = (ModelError.code, *(error.code for error in ModelError.__subclasses__()))


def error_responses(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI entries of a route that can answer these errors."""
    responses: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        description = (error.__doc__ or "").strip()
        if error.status in responses:
            responses[error.status]["description"] += f" Or: {description}"
        else:
            content: dict[str, Any] = {"application/json": {"examples": {}}}
            responses[error.status] = {"model": ErrorAnswer, "description": description, "content": content}
        responses[error.status]["content"]["application/json"]["examples"][error.code] = {"value": _example(error)}
    return responses


# Not ours to shape: the server answers an address of more than 64 KiB before any route is looked for.
ADDRESS_TOO_LONG: dict[int | str, dict[str, Any]] = {
    400: {
        "description": "The address is longer than 64 KiB.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "Invalid HTTP request received."}},
    }
}


def _example(error: type[ServiceError]) -> dict[str, Any]:
    request_id = TracedErrorDetail.model_fields["request_id"].examples
    detail = {"code": error.code, "message": error.example, "field": error.example_field}
    answer = ErrorAnswer.model_validate({"error": {**detail, "request_id": (request_id or [""])[0]}})
    return answer.model_dump(exclude_none=True)


def add_error_handlers(app: FastAPI) -> None:
    """Have every error, the framework's included, answered in the one shape."""
    for kind in (ServiceError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer_error)


async def answer_error(request: Request, error: Exception) -> JSONResponse:
    """The one handler."""
    told = _as_service_error(request, error)
    request_id = getattr(request.state, "request_id", "")
    detail = TracedErrorDetail(code=told.code, message=told.message, field=told.field, request_id=request_id)
    answer = ErrorAnswer(error=detail)
    return JSONResponse(answer.model_dump(exclude_none=True), status_code=told.status, headers=told.headers)


def _as_service_error(request: Request, error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid_parameter(error)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.BAD_REQUEST:
        # The framework's word for JSON that Python can't read: not UTF-8, nested too deep, a number too long.
        return InvalidParameterError("The body is not readable as JSON.", field="body")
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
    if unreadable := _unreadable_body(problems[0][1]):
        return InvalidParameterError(unreadable, field="body")
    told = problems[:MAX_PROBLEMS]
    sentences = [f"{field} is {_quoted(problem.get('input'))}: {problem['msg']}." for field, problem in told]
    if len(problems) > len(told):
        sentences.append(f"And {len(problems) - len(told)} more.")
    return InvalidParameterError(" ".join(sentences), field=problems[0][0])


def _unreadable_body(problem: Mapping[str, Any]) -> str | None:
    if problem["type"] == "json_invalid":
        return f"The body is not readable as JSON: {problem['ctx']['error']}."
    if problem["loc"] == ("body",) and isinstance(problem.get("input"), bytes):
        return "The body is not marked as JSON: send the header Content-Type: application/json."
    return None


def _field(problem: Mapping[str, Any]) -> str:
    # The first part says where: path, query, body.
    place = ".".join(map(str, problem["loc"][1:])) or str(problem["loc"][0])
    # Keys of a body may be any text, halves of characters included.
    return place[:MAX_QUOTED].encode(errors="replace").decode()


def _quoted(value: object) -> str:
    # The start of a list is enough: one as long as a body may be takes milliseconds to write down.
    text = reprlib.repr(value) if isinstance(value, list | dict) else repr(value)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"
