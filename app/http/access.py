"""Checks the secrets that requests hold: API keys of clients, and the operator's token."""

import hmac
from collections.abc import Collection, Iterable
from hashlib import sha256

from fastapi.security import APIKeyHeader
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import UnauthorizedError
from app.http.error_answers import answer_error

API_KEY_HEADER = "X-API-Key"
API_KEY = APIKeyHeader(
    name=API_KEY_HEADER,
    scheme_name="ApiKey",
    description="A key of `API_KEYS`; for events, impressions and a user's data of `EVENTS_KEYS`, if these are set.",
    auto_error=False,
)
EVENTS_PATH, IMPRESSIONS_PATH = "/events", "/impressions"
USERS_PATH, DATA = "/users/", "/data"
CATALOGUE_PATH, CHANGES_PATH = "/items", "/items/changes"
PLACEMENTS_PATH = "/placements"


class Secrets:
    """Accepted secrets. The time of a comparison tells nothing about them, not even their length."""

    def __init__(self, accepted: Iterable[str]) -> None:
        self._digests = [sha256(secret.encode()).digest() for secret in accepted]

    def accepts(self, secret: bytes) -> bool:
        """Whether the text is an accepted secret."""
        digest = sha256(secret).digest()
        # Compare with all of them, whether or not one fits.
        return sum(hmac.compare_digest(digest, accepted) for accepted in self._digests) > 0


class ApiKeyMiddleware:
    """ASGI middleware: answers 401 to a request without an accepted key, except on open paths.

    Without `keys` reading is open. Writing, and asking for all that is held about a user, needs one of `events_keys`,
    or one of `keys` where there are none.
    """

    def __init__(
        self, app: ASGIApp, keys: Secrets | None, open_paths: Collection[str], events_keys: Secrets | None
    ) -> None:
        self._app, self._open_paths = app, frozenset(open_paths)
        self._keys, self._events_keys = keys, events_keys or keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        accepted = self._accepted(scope) if scope["type"] == "http" else None
        if accepted is None or accepted.accepts(_sent_key(scope)):
            await self._app(scope, receive, send)
            return
        refusal = UnauthorizedError(f"Send an API key in the header {API_KEY_HEADER}.", scheme="ApiKey")
        await (await answer_error(Request(scope), refusal))(scope, receive, send)

    def _accepted(self, scope: Scope) -> Secrets | None:
        """The keys that open a request; None if it needs no key."""
        path = route_path(scope)
        if path in (EVENTS_PATH, IMPRESSIONS_PATH) or (path.startswith(USERS_PATH) and path.endswith(DATA)):
            return self._events_keys
        # What editors do asks for an editor's key instead, or for the operator's token.
        is_own = scope["method"] in ("DELETE", "PUT", "PATCH") or f"{path}/".startswith(f"{PLACEMENTS_PATH}/")
        is_own |= path == CATALOGUE_PATH and scope["method"] == "POST"
        return None if is_own or path in self._open_paths else self._keys


def route_path(scope: Scope) -> str:
    """The path without the prefix that `--root-path` sets, as routes are written."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _sent_key(scope: Scope) -> bytes:
    name = API_KEY_HEADER.lower().encode()
    return next((without_blanks(value) for header, value in scope["headers"] if header == name), b"")


def without_blanks(value: bytes) -> bytes:
    """A header's value without the blanks around it, which don't belong to it (RFC 9110, 5.5)."""
    return value.strip(b" \t")
