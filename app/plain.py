"""The plain request answered without FastAPI's machinery: the route that most people call, with nothing but k.

It gives the same bytes as routes/recommendations.py, which documents it and answers everything else.
"""

import json
import re

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.queries import DEFAULT_K, MAX_ID_LENGTH
from app.recommender import Ranking
from app.routes.answers import SCORE_DECIMALS
from app.store import ModelStore, ServedModel
from app.telemetry import Telemetry

PLAIN_ROUTE = "recommend_for_user"
PREFIX, SUFFIX = "/users/", "/recommendations"
QUERY = re.compile(rb"k=([1-9][0-9]?|100)")
CONTENT_TYPE = (b"content-type", b"application/json")


class PlainRecommendations:
    """ASGI middleware: answers plain requests that get a full list, hands all others on."""

    def __init__(self, app: ASGIApp, store: ModelStore, telemetry: Telemetry, route: BaseRoute) -> None:
        self._app, self._store, self._telemetry, self._route = app, store, telemetry, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        plain, model = _plain(scope), self._store.current
        body = self._answer(model, *plain) if plain is not None and model is not None else None
        if body is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route  # where the middleware that measures looks for it
        headers = [CONTENT_TYPE, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, model: ServedModel, user_id: str, k: int) -> bytes | None:
        """The JSON of a full list; None for a shorter one, whose reason the route gives."""
        ranking, source = _rank(model, user_id, k)
        rows = ranking.items[0]
        if len(rows) < k:
            return None
        self._telemetry.served_plain(model, user_id, source, rows, k)
        head = f'{{"user_id":{_json(user_id)},"model_version":{_json(model.version)},"source":"{source}","items":['
        return b"".join([head.encode(), b",".join(_places(model, ranking)), b"]}"])


def _places(model: ServedModel, ranking: Ranking) -> list[bytes]:
    pairs = zip(ranking.items[0].tolist(), ranking.scores[0].tolist(), strict=True)
    fragment = model.catalogue.fragment
    return [
        b'{"rank":%d,%b,"score":%b}' % (rank, fragment(row), repr(round(score, SCORE_DECIMALS)).encode())
        for rank, (row, score) in enumerate(pairs, start=1)
    ]


def _rank(model: ServedModel, user_id: str, k: int) -> tuple[Ranking, str]:
    row = model.recommender.user_row(user_id)
    if row is None:
        return model.recommender.popular(k), "popular"
    source = "personalised" if model.recommender.is_personalised(row) else "popular"
    return model.recommender.first(row, k), source


def _json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(scope: Scope) -> tuple[str, int] | None:
    """User id and k of a plain request, None for any other."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope.get("root_path"):
        return None
    path, query = scope["path"], scope["query_string"]
    length = len(path) - len(PREFIX) - len(SUFFIX)
    if not (path.startswith(PREFIX) and path.endswith(SUFFIX) and 0 < length <= MAX_ID_LENGTH):
        return None
    match = QUERY.fullmatch(query)
    if query and match is None:
        return None
    return path[len(PREFIX) : -len(SUFFIX)], int(match[1]) if match else DEFAULT_K
