"""Around every request: its id, its line in the log, its place in the metrics, and the headers of every answer."""

import logging
import re
from random import getrandbits
from time import perf_counter

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.access import route_path
from app.http.error_answers import answer_error
from app.model.store import ModelStore
from app.observability.request_log import Answered, RequestLog
from app.observability.telemetry import Telemetry
from app.observability.tracing import name_span

REQUEST_ID_HEADER = b"x-request-id"
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:=+/-]{1,128}")  # nothing that could break a log line
MAX_LOGGED_PATH = 512
NO_ROUTE = "none"  # the label of what no route matches: a path would be a label for each guess of a stranger
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
# The documentation pages load scripts; nothing else that we answer has a use in a browser's window.
PAGES = frozenset({"/docs", "/docs/oauth2-redirect", "/redoc"})
ANSWER_HEADERS = [*SECURITY_HEADERS, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]

logger = logging.getLogger(__name__)


class RequestMiddleware:
    """The outermost of ours: sees each request first and each answer last, errors included."""

    def __init__(
        self, app: ASGIApp, store: ModelStore, telemetry: Telemetry, request_log: RequestLog, *, traced: bool
    ) -> None:
        self._app, self._store, self._telemetry, self._traced = app, store, telemetry, traced
        self._log = request_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the request answered, and tell about it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 0
        model = self._store.current
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        headers = [
            (REQUEST_ID_HEADER, request_id.encode()),
            *(SECURITY_HEADERS if route_path(scope) in PAGES else ANSWER_HEADERS),
        ]

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *headers]
                if self._traced and "route" in scope:
                    name_span(scope["method"], _route(scope))
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:
            logger.exception("Request %(request_id)s failed", {"request_id": request_id})
            if status:
                raise  # the answer has begun: only the server can break it off
            await (await answer_error(Request(scope), error))(scope, receive, send_marked)
        finally:
            seconds = perf_counter() - started
            route = _route(scope)
            self._telemetry.answered(scope["method"], route, status, seconds)
            if self._log.is_on:
                # As it was sent, still encoded; without the query, which may say what somebody likes.
                path = scope["raw_path"].decode("ascii", "backslashreplace")[:MAX_LOGGED_PATH]
                version = None if model is None else model.version
                self._log.add(
                    Answered(scope["method"], route, path, status, round(1000 * seconds, 2), request_id, version)
                )


def _route(scope: Scope) -> str:
    route: str = getattr(scope.get("route"), "path_format", NO_ROUTE)
    return route


def _request_id(scope: Scope) -> str:
    """The client's own, if it is one that can be logged as it is; else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID_HEADER and REQUEST_ID.fullmatch(value):
            text: str = value.decode()
            return text
    return f"{getrandbits(128):032x}"
