"""Limits what a connection may cost: `python -m app` gives this protocol to uvicorn.

Uvicorn's own protocol takes headers of any size, and waits without end for the rest of a request, and for a client that
doesn't read its answer. Here a client that owes something for CLIENT_SECONDS is cut off.
"""

import asyncio
import contextlib
import json
import os
import socket
from random import getrandbits

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.http.body_limit import MAX_BODY_BYTES
from app.http.descriptors import MAX_CONNECTIONS
from app.http.front_door import FrontDoor

MAX_ADDRESS_BYTES = 64 * 1024 - 1  # uvicorn refuses longer ones, but only when all headers are there
MAX_HEAD_BYTES = 96 * 1024
MAX_HEADERS = 100
MAX_REQUEST_BYTES = 4 * MAX_BODY_BYTES  # a body of many small chunks is longer than its content
MAX_PIPELINED = 256
CLIENT_SECONDS = 20.0
CHECK_SECONDS = 1.0
LINGER_SECONDS = 1.0
LINGER_BYTES = 16 << 20
SLICE = 4096

Debt = tuple[str, int]


class LimitedProtocol(HttpToolsProtocol):
    """One connection. An ordinary request costs it two callbacks more; the rest is done once a second."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count; if there are too many connections, close the one whose client keeps it busy the least."""
        super().connection_made(transport)
        self._requests, self._received, self._is_whole, self._is_refused = 0, 0, True, False
        self._may_answer_at_once = False
        self._since, self._debt = self.loop.time(), self._owed()
        self._check = self.loop.call_later(CHECK_SECONDS, self._look_for_progress)
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; the answer to a request that was not read to its end stays readable for the client."""
        self._check.cancel()
        is_answered = self.cycle is not None and self.cycle.response_complete
        if exc is None and (self._is_refused or (is_answered and not self._is_whole)):
            with contextlib.suppress(OSError):
                _linger(self.loop, self.transport.get_extra_info("socket").fileno())
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass the bytes on in slices, so that a limit is noticed soon after it is passed."""
        self._may_answer_at_once = True
        parts = [data] if len(data) <= SLICE else [data[at : at + SLICE] for at in range(0, len(data), SLICE)]
        for part in parts:
            super().data_received(part)
            if self.transport.is_closing():
                return
            if not self._is_whole:
                self._received += len(part)
                self._check_size()
            if len(self.pipeline) > MAX_PIPELINED:
                self.transport.close()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self._requests, self._received, self._is_whole = self._requests + 1, 0, False

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
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

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # A task takes several turns of the loop. Of what one read brings, only the first answer goes without, so that a
        # client that sends many requests at once doesn't hold up the others.
        door: FrontDoor | None = getattr(app, "front_door", None)
        may_answer, self._may_answer_at_once = self._may_answer_at_once, False
        if door is None or not may_answer or not door.answers_at_once(cycle):
            super()._start_asgi_task(cycle, app)

    def _unsupported_upgrade_warning(self) -> None:
        """Write no line: any client can send such a request."""

    def _check_size(self) -> None:
        # The scope gets its method when all headers are there. Those that follow a body in chunks count, too.
        in_head = "method" not in self.scope
        if len(self.url) > MAX_ADDRESS_BYTES:
            self._is_refused = True
            self.send_400_response("Invalid HTTP request received.")
        elif len(self.headers) > MAX_HEADERS or (in_head and self._received > MAX_HEAD_BYTES):
            self._refuse(431, "headers_too_large", f"Send at most {MAX_HEADERS} headers and {MAX_HEAD_BYTES} bytes.")
        elif self._received > MAX_REQUEST_BYTES:
            self._refuse(413, "body_too_large", f"The body has more than {MAX_BODY_BYTES} bytes.")

    def _owed(self) -> Debt | None:
        """What this client has yet to do before anything goes on here, and how far it is."""
        if self.transport.is_closing() or self.flow.write_paused:
            return "read", self.transport.get_write_buffer_size()
        if not self._is_whole or self.cycle is None:
            return "send", self._requests
        # While it waits for an answer it owes nothing.
        return ("another", self._requests) if self.cycle.response_complete else None

    def _look_for_progress(self) -> None:
        now, debt = self.loop.time(), self._owed()
        if debt is None or debt != self._debt:
            self._since, self._debt = now, debt
        elif now - self._since >= (self.timeout_keep_alive if debt[0] == "another" else CLIENT_SECONDS):
            self._give_up()
        self._check = self.loop.call_later(CHECK_SECONDS, self._look_for_progress)

    def _give_up(self) -> None:
        if self._debt is not None and self._debt[0] == "read":
            self.transport.abort()
        else:
            self.transport.close()

    def _make_room(self) -> None:
        """Close a connection that waits for its client, for the longest; or an idle one; or, if all work, this one."""
        ours = [each for each in self.connections if isinstance(each, LimitedProtocol)]
        others = [each for each in ours if each is not self and not each.transport.is_closing()]
        free = [each for each in others if each.cycle is None or each.cycle.response_complete or each._owed()]
        if len(others) < MAX_CONNECTIONS:
            return  # the others that are too many are closing
        if free:
            min(free, key=_patience).transport.abort()
        else:
            self._refuse(503, "too_many_connections", "This process has too many connections; try again.")

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer in the one shape of errors, unless another answer has begun, and close."""
        self._is_refused = True
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            error = {"code": code, "message": message, "request_id": f"{getrandbits(128):032x}"}
            body = json.dumps({"error": error}).encode()
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()


def _patience(connection: LimitedProtocol) -> tuple[bool, float]:
    debt = connection._owed()
    return debt is None or debt[0] == "another", connection._since


def _linger(loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
    """Read and drop what a client still sends for a moment.

    The system resets a connection that is closed with unread bytes, and the client then loses its answer.
    """
    rest = socket.socket(fileno=os.dup(descriptor))
    rest.setblocking(False)
    left = LINGER_BYTES

    def close() -> None:
        loop.remove_reader(rest)
        rest.close()
        timer.cancel()

    def read() -> None:
        nonlocal left
        try:
            received = len(rest.recv(65_536))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        left -= received
        if not received or left < 0:
            close()

    timer = loop.call_later(LINGER_SECONDS, close)
    loop.add_reader(rest, read)
    with contextlib.suppress(OSError):
        rest.shutdown(socket.SHUT_WR)
