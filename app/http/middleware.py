"""Assigns the request id, logs, measures, and adds headers."""

import logging
import re
from collections.abc import Collection
from random import getrandbits
from time import perf_counter

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.access import route_path
from app.http.error_answers import answer_error
from app.http.read_after import POSITION
from app.model.store import ModelStore
from app.observability.request_log import Answered, RequestLog
from app.observability.telemetry import Telemetry
from app.observability.tracing import name_span

REQUEST_ID_HEADER = b"x-request-id"
POSITION_HEADER = POSITION.lower().encode()
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:=+/-]{1,128}")  # no character that could break a log line
MAX_LOGGED_PATH = 512
NO_ROUTE = "none"  # the label of requests without a route: their paths would make a label each
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
ANSWER_HEADERS = [*SECURITY_HEADERS, (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")]

logger = logging.getLogger(__name__)


class RequestMiddleware:
    """ASGI middleware, the outermost one: sees each request first and each answer last, errors included."""

    def __init__(
        self,
        app: ASGIApp,
        store: ModelStore,
        telemetry: Telemetry,
        request_log: RequestLog,
        *,
        pages: Collection[str],
        traced: bool,
    ) -> None:
        self._app, self._store, self._telemetry, self._traced = app, store, telemetry, traced
        # Only the documentation pages load scripts; no other answer is shown as a page.
        self._log, self._pages = request_log, frozenset(pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, then log and measure the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 0
        model = self._store.current
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        headers = [
            (REQUEST_ID_HEADER, request_id.encode()),
            *(SECURITY_HEADERS if route_path(scope) in self._pages else ANSWER_HEADERS),
        ]

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *headers, *_position(scope)]
                if self._traced and "route" in scope:
                    name_span(scope["method"], _route(scope))
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        except Exception as error:
            logger.exception("Request %(request_id)s failed", {"request_id": request_id})
            if status:
                raise  # the answer has begun: only the server can end it now
            await (await answer_error(Request(scope), error))(scope, receive, send_marked)
        finally:
            seconds = perf_counter() - started
            route = _route(scope)
            self._telemetry.answered(scope["method"], route, status, seconds)
            if self._log.is_on:
                # The path as it was sent, still encoded. The query is left out: it may say what somebody likes.
                path = scope["raw_path"].decode("ascii", "backslashreplace")[:MAX_LOGGED_PATH]
                version = None if model is None else model.version
                self._log.add(Answered(scope["method"], route, path, status, 1000 * seconds, request_id, version))


def _route(scope: Scope) -> str:
    route: str = getattr(scope.get("route"), "path_format", NO_ROUTE)
    return route


def _position(scope: Scope) -> list[tuple[bytes, bytes]]:
    """The header that says which events the answer knows, where the request asked for it."""
    position = scope["state"].get("position")
    return [] if position is None else [(POSITION_HEADER, b"%d" % position)]


def _request_id(scope: Scope) -> str:
    """The client's request id if a log line can hold it, else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID_HEADER and REQUEST_ID.fullmatch(value):
            text: str = value.decode()
            return text
    return f"{getrandbits(128):032x}"
