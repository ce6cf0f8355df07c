"""Limits what a connection may cost, and gives each request one answer: `python -m app` has uvicorn use this protocol.

Uvicorn's own protocol takes headers of any size, and waits without end for the rest of a request, and for a client that
doesn't read its answer. It also loses the body of a request that offers to change the protocol (its issue 2722), and
answers wrong bytes before the requests that came whole ahead of them.
"""

import asyncio
import json
from random import getrandbits
from typing import cast
from weakref import WeakKeyDictionary

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.http.body_limit import MAX_BODY_BYTES
from app.http.descriptors import MAX_CONNECTIONS
from app.http.front_door import FrontDoor
from app.http.one_write import as_lines
from app.http.patience import ANOTHER, FIRST, READ, SEND, Debt, Patience
from app.http.patient_transport import PatientTransport
from app.http.room import Room, Waiting

MAX_ADDRESS_BYTES = 64 * 1024 - 1  # uvicorn refuses longer ones, but only when all headers are there
MAX_HEAD_BYTES = 96 * 1024
MAX_HEADERS = 100
MAX_REQUEST_BYTES = 4 * MAX_BODY_BYTES  # a body of many small chunks is longer than its content
MAX_PIPELINED = 256
LINGER_BYTES = 16 << 20
SLICE = 4096
NOT_HTTP = b"Invalid HTTP request received."


class LimitedProtocol(HttpToolsProtocol):
    """One connection. An ordinary request costs it three callbacks more; the rest is done once a second."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count; if there are too many connections, close the one whose client keeps it busy the least."""
        super().connection_made(PatientTransport(transport, self._still_sends))
        self._requests, self._received, self._is_whole = 0, 0, True
        self._is_ended, self._has_eof, self._last_answer = False, False, b""
        self._may_answer_at_once = False
        self._patience = Patience(self.loop, self.transport, self._owed, self.timeout_keep_alive)
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._patience.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on in slices, so that a limit is noticed soon after it is passed."""
        self._may_answer_at_once = True
        if len(data) <= SLICE:
            self._take(data)
        else:
            for at in range(0, len(data), SLICE):
                self._take(data[at : at + SLICE])

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer what came whole: a client may end its own side only."""
        self._has_eof = True
        self._end()
        return not self.transport.is_closing() and self.scheme == "http"

    def on_message_begin(self) -> None:
        """A request has begun."""
        super().on_message_begin()
        self._requests, self._received, self._is_whole = self._requests + 1, 0, False

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the head has too many headers, or is read again without its offer of an upgrade."""
        if len(self.headers) > MAX_HEADERS:
            self._refuse_head()
            raise HttpParserError("too many headers")
        if not self.parser.should_upgrade():
            super().on_headers_complete()
        elif self.parser.get_method() == b"CONNECT":
            super().on_headers_complete()
            self.cycle.keep_alive = False
        self.headers = []  # what follows the body is no part of the head, whose headers the application reads

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        if self.cycle is not None and self.cycle.scope is self.scope:
            super().on_message_complete()
        self._is_whole = True

    def on_response_complete(self) -> None:
        """End a request as uvicorn does, without a timer for each: an idle connection is found once a second."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._is_ended:
            self._close()

    def waiting(self) -> Waiting | None:
        """How long the client has kept this connection waiting; None while the connection works for the client."""
        return self._patience.waiting()

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

    def _parse(self, part: bytes) -> None:
        try:
            self.parser.feed_data(part)
        except HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                self._end()  # what follows is for somebody else
            else:
                self._parse(self._without_upgrade() + part[upgrade.args[0] :])
        except HttpParserError:
            self._end(_answer(400, b"text/plain; charset=utf-8", NOT_HTTP))

    def _without_upgrade(self) -> bytes:
        """The head that was read, for a new parser: a server may pass over an offer of an upgrade (RFC 9110, 7.8)."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = as_lines([header for header in self.scope["headers"] if header[0] != b"upgrade"])
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, headers)

    def _check_size(self) -> None:
        # Headers that follow a body in chunks count, too.
        if len(self.url) > MAX_ADDRESS_BYTES:
            self._end(_answer(400, b"text/plain; charset=utf-8", NOT_HTTP))
        elif len(self.headers) > MAX_HEADERS or (not self._has_cycle() and self._received > MAX_HEAD_BYTES):
            self._refuse_head()
        elif self._received > MAX_REQUEST_BYTES:
            self._refuse(413, "body_too_large", f"The body has more than {MAX_BODY_BYTES} bytes.")

    def _has_cycle(self) -> bool:
        """Whether the head of the newest request has been read, and is being answered."""
        return self.cycle is not None and self.cycle.scope is self.scope

    def _still_sends(self) -> bool:
        return not self._has_eof and (self._is_ended or not self._is_whole)

    def _owed(self) -> Debt | None:
        """What the client must do before anything can go on, and how far it has got."""
        if self.transport.is_closing() or self.flow.write_paused:
            return READ, self.transport.get_write_buffer_size()
        if self._is_ended:
            return None
        if not self._is_whole:
            return SEND, self._requests
        if self.cycle is None:
            return FIRST, 0
        # While it waits for an answer it owes nothing.
        return (ANOTHER, self._requests) if self.cycle.response_complete else None

    def _make_room(self) -> None:
        """Close a connection that waits for its client, for the longest; or an idle one; or, if all work, this one."""
        room = _rooms.setdefault(self.server_state, Room())
        while len(self.connections) > MAX_CONNECTIONS:
            choice = room.choice(cast("set[LimitedProtocol]", self.connections), self.loop.time())
            if choice is None or choice is self:
                self._refuse(503, "too_many_connections", "This process has too many connections; try again.")
                room.prefer(self)
                return
            self.connections.discard(choice)  # it counts no more, though it ends in the loop's next turn
            choice.transport.abort()

    def _refuse_head(self) -> None:
        self._refuse(431, "headers_too_large", f"Send at most {MAX_HEADERS} headers and {MAX_HEAD_BYTES} bytes.")

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer what is being read in the one shape of errors, and close."""
        error = {"code": code, "message": message, "request_id": f"{getrandbits(128):032x}"}
        self._end(_answer(status, b"application/json", json.dumps({"error": error}).encode()))

    def _end(self, answer: bytes = b"") -> None:
        """Read no more. Once the requests that came whole are answered, answer the one that didn't, and close."""
        if self._is_ended:
            return
        self._is_ended, self._last_answer = True, answer
        works = self.cycle is not None and not self.cycle.response_complete
        if not self._is_whole and self._has_cycle():
            works = self._leave_unfinished(self.cycle)
        if not works:
            self._close()

    def _leave_unfinished(self, cycle: RequestResponseCycle) -> bool:
        """Tell the application that the rest won't come; return whether an earlier request is being answered."""
        if cycle.response_started:
            self._last_answer = b""
        cycle.disconnected = True
        cycle.message_event.set()
        is_waiting = bool(self.pipeline) and self.pipeline[0][0] is cycle
        if is_waiting:
            self.pipeline.popleft()
        return is_waiting

    def _close(self) -> None:
        if self._last_answer:
            self.transport.write(self._last_answer)
        self.transport.close()


_rooms: WeakKeyDictionary[ServerState, Room[LimitedProtocol]] = WeakKeyDictionary()


def _answer(status: int, kind: bytes, body: bytes) -> bytes:
    headers = [(b"content-type", kind), (b"connection", b"close"), (b"content-length", b"%d" % len(body))]
    return STATUS_LINE[status] + as_lines(headers) + b"\r\n" + body
