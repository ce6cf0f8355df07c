"""Gives each request one answer, its own, in the order of requests.

Uvicorn's own protocol loses the body of a request that offers to change the protocol (its issue 2722), and answers
wrong bytes before the requests that came whole ahead of them.
"""

import asyncio

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.http.one_write import as_lines
from app.http.patient_transport import PatientTransport
from app.http.refusals import NOT_HTTP


class OneAnswerProtocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(PatientTransport(transport, self._still_sends))
        self._requests, self._received, self._is_whole = 0, 0, True  # bytes of the newest request are for the limits
        self._is_ended, self._has_eof, self._last_answer = False, False, b""

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
        """Begin to answer, unless the head is read again without its offer of an upgrade."""
        if not self.parser.should_upgrade():
            super().on_headers_complete()
        elif self.parser.get_method() == b"CONNECT":
            super().on_headers_complete()
            self.cycle.keep_alive = False
        self.headers = []  # what follows the body is no part of the head, whose headers the application reads

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        if self.cycle is not None and self.cycle.scope is self.scope:  # a call less for each request
            super().on_message_complete()
        self._is_whole = True

    def on_response_complete(self) -> None:
        """Go on with the next request, or close if there will be none; an idle connection is found by its patience."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._is_ended:
            self._close()

    def _parse(self, part: bytes) -> None:
        try:
            self.parser.feed_data(part)
        except HttpParserUpgrade as upgrade:
            if self.parser.get_method() == b"CONNECT":
                self._end()  # what follows is for somebody else
            else:
                self._parse(self._without_upgrade() + part[upgrade.args[0] :])
        except HttpParserError:
            self._end(NOT_HTTP)

    def _without_upgrade(self) -> bytes:
        """The head that was read, for a new parser: a server may pass over an offer of an upgrade (RFC 9110, 7.8)."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = as_lines([header for header in self.scope["headers"] if header[0] != b"upgrade"])
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, headers)

    def _has_cycle(self) -> bool:
        """Whether the head of the newest request has been read, and is being answered."""
        return self.cycle is not None and self.cycle.scope is self.scope

    def _still_sends(self) -> bool:
        return not self._has_eof and (self._is_ended or not self._is_whole)

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
