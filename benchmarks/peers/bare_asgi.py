"""A bare ASGI application with ready bytes and the headers of our answers: what uvicorn and sockets cost."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from benchmarks.peers.fastapi_constant import BODY

HEADERS = [
    (b"content-length", b"%d" % len(BODY)),
    (b"content-type", b"application/json"),
    (b"x-request-id", b"0123456789abcdef0123456789abcdef"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
START = {"type": "http.response.start", "status": 200, "headers": HEADERS}
END = {"type": "http.response.body", "body": BODY}


async def app(scope: MutableMapping[str, Any], receive: object, send: Callable[[Any], Awaitable[None]]) -> None:
    """Ten films."""
    if scope["type"] == "http":
        await send(START)
        await send(END)
