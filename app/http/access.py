"""Who may ask: API keys for clients, a token for the operator; both off until they are set."""

import hmac
from collections.abc import Iterable
from hashlib import sha256

from fastapi.security import APIKeyHeader
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UnauthorizedError
from app.http.error_answers import answer_error

API_KEY_HEADER = "X-API-Key"
API_KEY = APIKeyHeader(name=API_KEY_HEADER, scheme_name="ApiKey", description="A key of `API_KEYS`.", auto_error=False)
# What orchestrators, Prometheus and a browser must read without a header of their own; none of it is about a person.
# /model/reload has a token of its own.
OPEN_PATHS = frozenset(
    {
        "/health/live",
        "/health/ready",
        "/metrics",
        "/model/reload",
        "/docs",
        "/docs/oauth2-redirect",
        "/redoc",
        "/openapi.json",
    }
)


class Secrets:
    """Accepted secrets, compared in a time that tells nothing about them, not even their length."""

    def __init__(self, accepted: Iterable[str]) -> None:
        self._digests = [sha256(secret.encode()).digest() for secret in accepted]

    def accepts(self, secret: bytes) -> bool:
        """Whether it is one of them."""
        digest = sha256(secret).digest()
        # All are compared, found or not.
        return sum(hmac.compare_digest(digest, accepted) for accepted in self._digests) > 0


class ApiKeyMiddleware:
    """Answers 401 to a request without a known key, but for the open paths."""

    def __init__(self, app: ASGIApp, keys: Iterable[str]) -> None:
        self._app, self._keys = app, Secrets(keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        if scope["type"] != "http" or route_path(scope) in OPEN_PATHS or self._keys.accepts(_sent_key(scope)):
            await self._app(scope, receive, send)
            return
        refusal = UnauthorizedError(f"A known key is needed in the header {API_KEY_HEADER}.", scheme="ApiKey")
        await (await answer_error(Request(scope), refusal))(scope, receive, send)


def route_path(scope: Scope) -> str:
    """The path as routes are written, without what `--root-path` puts before it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _sent_key(scope: Scope) -> bytes:
    name = API_KEY_HEADER.lower().encode()
    sent: bytes = next((value for header, value in scope["headers"] if header == name), b"")
    return sent
