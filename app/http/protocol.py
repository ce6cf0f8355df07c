"""Limits what a connection may cost: `python -m app` has uvicorn use this protocol.

Uvicorn's own protocol takes headers of any size, and waits without end for the rest of a request, and for a client that
doesn't read its answer.
"""

import asyncio
from weakref import WeakKeyDictionary

from httptools import HttpParserError
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from app.http.body_limit import MAX_BODY_BYTES
from app.http.descriptors import MAX_CONNECTIONS
from app.http.front_door import FrontDoor
from app.http.one_answer import OneAnswerProtocol
from app.http.patience import ANOTHER, FIRST, READ, SEND, Debt, Patience
from app.http.refusals import NOT_HTTP, refusal
from app.http.room import Room

MAX_ADDRESS_BYTES = 64 * 1024 - 1  # uvicorn refuses longer ones, but only when all headers are there
MAX_HEAD_BYTES = 96 * 1024
MAX_HEADERS = 100
MAX_REQUEST_BYTES = 4 * MAX_BODY_BYTES  # a body of many small chunks is longer than its content
MAX_PIPELINED = 256
LINGER_BYTES = 16 << 20
SLICE = 4096


class LimitedProtocol(OneAnswerProtocol):
    """One connection. An ordinary request costs it three callbacks more; the rest is done once a second."""

    is_queued = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count; if there are too many connections, make room."""
        super().connection_made(transport)
        self._may_answer_at_once = False
        self._patience = Patience(self.loop, self.transport, self.owed, self.timeout_keep_alive)
        self._room = _rooms.setdefault(self.server_state, Room())
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()
        self._room.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._patience.end()
        self._room.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on in slices, so that a limit is noticed soon after it is passed."""
        self._may_answer_at_once = True
        if len(data) <= SLICE:
            self._take(data)
        else:
            for at in range(0, len(data), SLICE):
                self._take(data[at : at + SLICE])

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head has too many headers."""
        if len(self.headers) > MAX_HEADERS:
            self._refuse_head()
            raise HttpParserError("too many headers")
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Go on, and let the connection make room again."""
        if not self.is_queued:
            self._room.enter(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read its answer."""
        super().pause_writing()
        if not self.is_queued:
            self._room.enter(self)

    def owed(self) -> Debt | None:
        """What the client must do before anything can go on, and how far it has got; None while we work for it."""
        if self.transport.is_closing() or self.flow.write_paused:
            return READ, self.transport.get_write_buffer_size()
        if self._is_ended:
            return None
        if not self._is_whole:
            return SEND, self._requests
        if self.cycle is None:
            return FIRST, 0
        return (ANOTHER, self._requests) if self.cycle.response_complete else None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # A task takes several turns of the loop. Of what one read brings, only the first answer goes without, so that a
        # client that sends many requests at once doesn't hold up the others.
        door: FrontDoor | None = getattr(app, "front_door", None)
        may_answer, self._may_answer_at_once = self._may_answer_at_once, False
        if door is None or not may_answer or not door.answers_at_once(cycle):
            super()._start_asgi_task(cycle, app)

    def _take(self, part: bytes) -> None:
        if self._is_ended or self.transport.is_closing():
            self._received += len(part)
            if self._received > LINGER_BYTES:
                self.transport.abort()
            return
        self._parse(part)
        if not self._is_whole:
            self._received += len(part)
            self._check_size()
        if len(self.pipeline) > MAX_PIPELINED:
            self._end()

    def _check_size(self) -> None:
        # Headers that follow a body in chunks count, too.
        if len(self.url) > MAX_ADDRESS_BYTES:
            self._end(NOT_HTTP)
        elif len(self.headers) > MAX_HEADERS or (not self._has_cycle() and self._received > MAX_HEAD_BYTES):
            self._refuse_head()
        elif self._received > MAX_REQUEST_BYTES:
            self._end(refusal(413, "body_too_large", f"The body has more than {MAX_BODY_BYTES} bytes."))

    def _make_room(self) -> None:
        """Close another connection, whose client has done nothing for the longest; if all work, refuse this one."""
        while len(self.connections) > MAX_CONNECTIONS:
            choice = self._room.choice()
            if choice is None:
                self._end(refusal(503, "too_many_connections", "This process has too many connections; try again."))
                return
            self.connections.discard(choice)  # it counts no more, though it ends in the loop's next turn
            choice.transport.abort()

    def _refuse_head(self) -> None:
        message = f"Send at most {MAX_HEADERS} headers and {MAX_HEAD_BYTES} bytes."
        self._end(refusal(431, "headers_too_large", message))


_rooms: WeakKeyDictionary[ServerState, Room[LimitedProtocol]] = WeakKeyDictionary()
