"""Answers `GET /users/{user_id}/recommendations` before all middleware, which takes longer than the answer.

Status, headers and body are the same as those of `recommend_for_user` in routes/recommendations.py, behind the
middleware. That route documents the request, and answers whatever is unusual: other characters in the id, a query to
refuse or to explain, a missing key, a body. Where CORS or tracing is on, there is no front door.
"""

import logging
import re
from collections.abc import Mapping
from random import getrandbits
from time import perf_counter
from typing import Any

from starlette.types import Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.errors import ServiceError
from app.http.access import API_KEY_HEADER, Secrets, without_blanks
from app.http.item_lists import ListAnswer
from app.http.lanes import Lane, Lanes
from app.http.list_ids import id_header
from app.http.middleware import ANSWER_HEADERS, REQUEST_ID, REQUEST_ID_HEADER
from app.http.one_write import OK_LINE, Headers, as_lines, takes_an_answer, write
from app.http.plain_answers import PlainAnswers
from app.http.read_after import READ_AFTER
from app.http.user_queries import PLAIN_QUERIES, read_query
from app.http.user_recommendations import answer_user
from app.model.store import ModelStore, ServedModel
from app.observability.counters import RequestCount
from app.observability.request_log import Answered, RequestLog
from app.observability.telemetry import Telemetry

ROUTE = "/users/{user_id}/recommendations"
# The id reads the same in a path, in JSON, and in a log line.
PLAIN_PATH = re.compile(rb"/users/([A-Za-z0-9._~-]{1,200})/recommendations")
CONTENT_TYPE = (b"content-type", b"application/json")
KEY_HEADER = API_KEY_HEADER.lower().encode()
BODY_HEADERS = (b"content-length", b"transfer-encoding")
READ_HEADERS = frozenset({REQUEST_ID_HEADER, KEY_HEADER, READ_AFTER.lower().encode(), *BODY_HEADERS})

Answer = tuple[Lane, bytes | None, bytes]  # whose list it is, its id, the body

logger = logging.getLogger(__name__)


class FrontDoor:
    """Answers a request if it can, and leaves it alone otherwise."""

    def __init__(
        self, store: ModelStore, lanes: Lanes, telemetry: Telemetry, request_log: RequestLog, keys: Secrets | None
    ) -> None:
        self._store, self._lanes, self._telemetry = store, lanes, telemetry
        self._log, self._keys = request_log, keys
        self._count: RequestCount | None = None
        self._default_headers: Headers = []
        self._head = b""

    def answers_at_once(self, cycle: RequestResponseCycle) -> bool:
        """Answer the request in one write; False if nothing was done and a task must run the application."""
        started = perf_counter()
        found = self._found(cycle.scope) if takes_an_answer(cycle) else None
        if found is None:
            return False
        self._write(cycle, *found)
        self._note(cycle.scope["raw_path"], *found, perf_counter() - started)
        return True

    async def answers(self, scope: Scope, send: Send) -> bool:
        """Answer the request through `send`; False if nothing was done and the application must answer."""
        started = perf_counter()
        found = self._found(scope)
        if found is None:
            return False
        await _send(send, *found)
        self._note(scope["raw_path"], *found, perf_counter() - started)
        return True

    def _found(self, scope: Mapping[str, Any]) -> tuple[bytes, Answer] | None:
        """The request id and the answer; None if the application must answer."""
        named = PLAIN_PATH.fullmatch(scope["raw_path"])
        model = self._store.current
        if named is None or model is None or scope["method"] != "GET" or scope["root_path"]:
            return None
        request_id = self._admitted(scope)
        answer = None if request_id is None else self._answer_or_none(model, named[1], scope["query_string"])
        return None if request_id is None or answer is None else (request_id, answer)

    def _admitted(self, scope: Mapping[str, Any]) -> bytes | None:
        """The request id; None if the request lacks a known key, has a body, or wants to wait for an event."""
        request_id, needs_key = None, self._keys is not None
        for name, value in scope["headers"]:
            if name not in READ_HEADERS:
                continue
            if name == REQUEST_ID_HEADER:
                if request_id is None and REQUEST_ID.fullmatch(value):
                    request_id = value
            elif name != KEY_HEADER:
                return None
            elif needs_key and self._keys is not None:
                if not self._keys.accepts(without_blanks(value)):
                    return None
                needs_key = False
        if needs_key:
            return None
        return request_id or b"%032x" % getrandbits(128)

    def _answer_or_none(self, live: ServedModel, user_id: bytes, query_string: bytes) -> Answer | None:
        try:
            text = user_id.decode()
            lane = self._lanes.of(live, text)
            recommendation_id = None if lane.new_id is None else lane.new_id(user_id)
            body = self._body(lane, user_id, text, query_string, recommendation_id)
        except ServiceError:
            return None  # the route says what is wrong with the filter, or the placement
        except Exception:
            logger.exception("The front door failed; the route answers")
            return None
        return None if body is None else (lane, recommendation_id, body)

    def _body(
        self, lane: Lane, user_id: bytes, text: str, query_string: bytes, recommendation_id: bytes | None
    ) -> bytes | None:
        answer, query, is_plain = self._plain(lane, user_id, text, query_string, recommendation_id), None, True
        if answer is None:
            query = read_query(query_string)
            if query is None or query.explain or query.preview or query.alias is not None:
                return None
            if self._lanes.placements.is_for_the_route(query.placement):
                return None
            answer = answer_user(lane, text, query, recommendation_id, self._lanes.placements)
            is_plain = query.is_plain
        body, source, noted = answer
        lane.count(text, source, noted, recommendation_id, query, is_plain=is_plain)
        return body

    def _plain(
        self, lane: Lane, user_id: bytes, text: str, query_string: bytes, recommendation_id: bytes | None
    ) -> ListAnswer | None:
        k = PLAIN_QUERIES.get(query_string)
        if k is None or lane.profiles.fresh(lane.model, text) is not None:
            return None
        plain = lane.plain
        if plain is None:
            plain = lane.plain = PlainAnswers(lane.model, with_ids=lane.new_id is not None)
        return plain.answer(user_id, k, recommendation_id)

    def _write(self, cycle: RequestResponseCycle, request_id: bytes, answer: Answer) -> None:
        # uvicorn makes a new list each second, with the date in it.
        if cycle.default_headers is not self._default_headers:
            self._default_headers = cycle.default_headers
            self._head = _head(cycle.default_headers, with_id=self._lanes.with_ids)
        _, recommendation_id, body = answer
        if recommendation_id is None:
            write(cycle, self._head % (len(body), request_id, body))
        else:
            write(cycle, self._head % (recommendation_id, len(body), request_id, body))

    def _note(self, path: bytes, request_id: bytes, answer: Answer, seconds: float) -> None:
        if self._count is None:
            self._count = self._telemetry.requests.of("GET", ROUTE, 200)
        self._count.add(seconds)
        if self._log.is_on:
            version = answer[0].model.version
            self._log.add(Answered("GET", ROUTE, path.decode(), 200, 1000 * seconds, request_id.decode(), version))


async def _send(send: Send, request_id: bytes, answer: Answer) -> None:
    _, recommendation_id, body = answer
    headers = [(b"content-length", b"%d" % len(body)), CONTENT_TYPE, (REQUEST_ID_HEADER, request_id)]
    headers = [*id_header(recommendation_id), *headers, *ANSWER_HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _head(default_headers: Headers, *, with_id: bool) -> bytes:
    """The answer as a template, with gaps for the list's id, the length, the request id and the body."""
    before = as_lines([*default_headers]).replace(b"%", b"%%")
    before += as_lines(id_header(b"%b")) if with_id else b""
    after = as_lines([CONTENT_TYPE]), as_lines(ANSWER_HEADERS)
    return b"".join(
        [OK_LINE, before, b"content-length: %d\r\n", after[0], b"x-request-id: %b\r\n", after[1], b"\r\n%b"]
    )
