"""Reads the bodies of requests: within a limit, and large ones without holding up other requests."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, cast

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from app.errors import BodyTooLargeError, ClientGoneError
from app.http.bounded_json import BoundedDecoder
from app.schemas.bodies import Body

MAX_BODY_BYTES = 1 << 20
# To read and validate a body of this size takes less time than to pass it to a thread.
SMALL_BODY_BYTES = 4096
# One large body at a time: two would slow down the event loop.
large_bodies = CapacityLimiter(1)


class LimitedRoute(APIRoute):
    """Refuses a body above the limit before reading all of it, and reads large ones in a thread.

    FastAPI's own `max_body_size` answers in plain text, not in our error shape.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """A handler that reads the body first, if the method has one; FastAPI then finds it in the request."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler
        model = cast(type[Body], self.body_field.field_info.annotation)

        async def handle(request: Request) -> Response:
            limited = _LimitedRequest(request.scope, request.receive)
            limited.model = model
            await limited.body()
            return await handler(limited)

        return handle


class _LimitedRequest(Request):
    model: type[Body]

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            self._body = await self._read()
        return self._body

    async def json(self) -> Any:  # noqa: ANN401 - as FastAPI declares it
        """The content; of a large body an instance of the model, which FastAPI doesn't validate again."""
        body = await self.body()
        if len(body) <= SMALL_BODY_BYTES:
            return json.loads(body)
        return await to_thread.run_sync(_validated, body, self.model, limiter=large_bodies)

    async def _read(self) -> bytes:
        body = bytearray()
        too_large = _exceeds_limit(self.headers.get("content-length", "0"))
        try:
            async for part in self.stream():
                too_large = too_large or len(body) + len(part) > MAX_BODY_BYTES
                if too_large:
                    raise BodyTooLargeError(f"The body has more than {MAX_BODY_BYTES} bytes.")
                body += part
        except ClientDisconnect:
            raise ClientGoneError("The client closed the connection before the end of the body.") from None
        return bytes(body)


def _exceeds_limit(declared: str) -> bool:
    """Whether Content-Length exceeds the limit; it may have more digits than Python converts."""
    digits = declared.lstrip("0")
    return declared.isdecimal() and (len(digits) > len(str(MAX_BODY_BYTES)) or int(digits or 0) > MAX_BODY_BYTES)


def _validated(body: bytes, model: type[Body]) -> object:
    content = json.loads(body, cls=BoundedDecoder, max_values=model.max_values)
    try:
        return model.model_validate(content)
    except ValidationError:
        return content  # FastAPI says what is wrong with it
