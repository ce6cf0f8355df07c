"""Answers errors in one JSON shape, and describes it in the OpenAPI document."""

import reprlib
from collections.abc import Mapping
from http import HTTPStatus
from itertools import islice
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.errors import FrameworkError, InternalError, InvalidParameterError, ServiceError
from app.schemas.model import ErrorAnswer, ErrorDetail

MAX_QUOTED = 80
MAX_PROBLEMS = 5


def error_responses(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer these errors."""
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


# The server itself answers an address of more than 64 KiB, before any route sees it.
ADDRESS_TOO_LONG: dict[int | str, dict[str, Any]] = {
    400: {
        "description": "The address is longer than 64 KiB.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "Invalid HTTP request received."}},
    },
    431: {"description": "Address and headers together are longer than 96 KiB.", "model": ErrorAnswer},
}


def _example(error: type[ServiceError]) -> dict[str, Any]:
    request_id = ErrorDetail.model_fields["request_id"].examples
    detail = {"code": error.code, "message": error.example, "field": error.example_field}
    answer = ErrorAnswer.model_validate({"error": {**detail, "request_id": (request_id or [""])[0]}})
    return answer.model_dump(exclude_none=True)


def add_error_handlers(app: FastAPI) -> None:
    """Have every error, the framework's included, answered in the same JSON shape."""
    for kind in (ServiceError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer_error)


async def answer_error(request: Request, error: Exception) -> JSONResponse:
    """The answer to any error."""
    answered = _as_service_error(request, error)
    request_id = getattr(request.state, "request_id", "")
    detail = ErrorDetail(code=answered.code, message=answered.message, field=answered.field, request_id=request_id)
    answer = ErrorAnswer(error=detail)
    return JSONResponse(answer.model_dump(exclude_none=True), status_code=answered.status, headers=answered.headers)


def _as_service_error(request: Request, error: Exception) -> ServiceError:
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid_parameter(error)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.BAD_REQUEST:
        # FastAPI raises it for JSON that Python can't read: not UTF-8, nested too deep, a number too long.
        return InvalidParameterError("The body is not readable as JSON.", field="body")
    if isinstance(error, HTTPException):
        return FrameworkError(_explain(request, error), error.status_code, error.headers)
    return InternalError()


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
    shown = problems[:MAX_PROBLEMS]
    sentences = [f"{field} is {_quoted(problem.get('input'))}: {problem['msg']}." for field, problem in shown]
    if len(problems) > len(shown):
        sentences.append(f"And {len(problems) - len(shown)} more.")
    return InvalidParameterError(" ".join(sentences), field=problems[0][0])


def _unreadable_body(problem: Mapping[str, Any]) -> str | None:
    if problem["type"] == "json_invalid":
        return f"The body is not readable as JSON: {problem['ctx']['error']}."
    if problem["loc"] == ("body",) and isinstance(problem.get("input"), bytes):
        return "The body is not marked as JSON: send the header Content-Type: application/json."
    return None


def _field(problem: Mapping[str, Any]) -> str:
    # The first part says where the field is: path, query, body.
    place = ".".join(map(str, problem["loc"][1:])) or str(problem["loc"][0])
    # A key of a body may be any text, lone surrogates included.
    return place[:MAX_QUOTED].encode(errors="replace").decode()


def _quoted(value: object) -> str:
    # Quote only the start of a list: the longest one that a body can hold takes milliseconds.
    text = _START.repr(value) if isinstance(value, list | dict) else repr(value)
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…"


class _StartOfValue(reprlib.Repr):
    def repr_dict(self, value: dict[Any, Any], level: int) -> str:
        # The method of the library first sorts all keys.
        return super().repr_dict(dict(islice(value.items(), self.maxdict + 1)), level)


_START = _StartOfValue()
