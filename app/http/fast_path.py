"""Answers recommendations for a user without FastAPI, which takes longer than finding them.

The bytes are the same as those of `recommend_for_user` in routes/recommendations.py. That route documents the request,
and answers what the fast path passes on: requests to refuse, and requests too slow for the event loop.
"""

from functools import lru_cache

from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.user_recommendations import answer_user
from app.model.store import ModelStore
from app.observability.telemetry import Telemetry
from app.schemas.queries import MAX_ID_LENGTH, UserQuery

PREFIX, SUFFIX = "/users/", "/recommendations"
LONGEST_QUERY = 512  # bytes; longer ones would fill the cache of parsed queries
CONTENT_TYPE = (b"content-type", b"application/json")
LISTS = frozenset(name for name, field in UserQuery.model_fields.items() if isinstance(field.default, list))


class FastPath:
    """ASGI middleware: answers `GET /users/{user_id}/recommendations`, and passes everything else on."""

    def __init__(self, app: ASGIApp, store: ModelStore, telemetry: Telemetry, route: BaseRoute) -> None:
        self._app, self._store, self._telemetry, self._route = app, store, telemetry, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        user_id, model = _user_id(scope), self._store.current
        query = None if user_id is None or model is None else _query(scope["query_string"])
        if user_id is None or model is None or query is None or query.explain:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route  # RequestMiddleware reads it
        body = answer_user(model, self._telemetry, user_id, query)
        headers = [(b"content-length", b"%d" % len(body)), CONTENT_TYPE]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _user_id(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("root_path"):
        return None
    path: str = scope["path"]
    length = len(path) - len(PREFIX) - len(SUFFIX)
    if not (path.startswith(PREFIX) and path.endswith(SUFFIX) and 0 < length <= MAX_ID_LENGTH):
        return None
    return path[len(PREFIX) : -len(SUFFIX)]


def _query(text: bytes) -> UserQuery | None:
    """The parsed query, or None if the route must answer: it says what is wrong."""
    return _parsed(text) if len(text) <= LONGEST_QUERY else None


# Most requests hold one of a few queries.
@lru_cache(maxsize=256)
def _parsed(text: bytes) -> UserQuery | None:
    parameters = QueryParams(text)
    values = {name: parameters.getlist(name) if name in LISTS else value for name, value in parameters.items()}
    try:
        return UserQuery.model_validate(values)
    except ValidationError:
        return None
