"""Limits the size of a request's body."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.errors import BodyTooLargeError

MAX_BODY_BYTES = 1 << 20


class LimitedRoute(APIRoute):
    """Refuses a body above the limit before reading all of it.

    FastAPI's own `max_body_size` answers in plain text, not in our error shape.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """A handler that reads the body first, if the method has one; FastAPI then finds it in the request."""
        handler = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handler

        async def handle(request: Request) -> Response:
            limited = _LimitedRequest(request.scope, request.receive)
            await limited.body()
            return await handler(limited)

        return handle


class _LimitedRequest(Request):
    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = await self._read()
        return self._body

    async def _read(self) -> bytes:
        declared = self.headers.get("content-length", "0")
        body = bytearray()
        too_large = declared.isdecimal() and int(declared) > MAX_BODY_BYTES
        async for part in self.stream():
            too_large = too_large or len(body) + len(part) > MAX_BODY_BYTES
            if too_large:
                raise BodyTooLargeError(f"The body has more than {MAX_BODY_BYTES} bytes.")
            body += part
        return bytes(body)
