"""Gives up on an answer that drips: each byte comes in time, so a poll could go on forever.

What a redirect says besides its address is not read: it may be of any length.
"""

from http.client import HTTPConnection, HTTPMessage, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import IO, TYPE_CHECKING, Any
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SLOWEST = 100_000  # bytes a second


class _Paced(RawIOBase):
    """Gives up after the socket's timeout if, on the whole, data comes slower than SLOWEST."""

    def __init__(self, raw: Any, connected: socket) -> None:  # noqa: ANN401 - SocketIO, or what TLS has in its place
        self._raw, self._socket = raw, connected
        self._patience = self._left = connected.gettimeout() or 0.0

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read what has arrived; raises TimeoutError."""
        if self._left <= 0:
            raise TimeoutError
        self._socket.settimeout(self._left)
        began = monotonic()
        received: int = self._raw.readinto(buffer)
        self._left = min(self._left - (monotonic() - began) + received / SLOWEST, self._patience)
        return received

    def close(self) -> None:
        """Close what is read from."""
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket, debuglevel: int = 0, method: str | None = None, url: str | None = None) -> None:
        super().__init__(sock, debuglevel, method, url)
        self.fp = BufferedReader(_Paced(self.fp.detach(), sock))


class _Plain(HTTPConnection):
    response_class = _Response


class _Encrypted(HTTPSConnection):
    response_class = _Response


class PacedHandler(HTTPHandler):
    """Opens `http://` addresses."""

    def http_open(self, request: Request) -> HTTPResponse:
        """Send the request."""
        return self.do_open(_Plain, request)


class PacedTlsHandler(HTTPSHandler):
    """Opens `https://` addresses."""

    def https_open(self, request: Request) -> HTTPResponse:
        """Send the request."""
        return self.do_open(_Encrypted, request, context=self._context)  # type: ignore[attr-defined]


class BriefRedirects(HTTPRedirectHandler):
    """Follows redirects without their bodies, which urllib reads whole."""

    def http_error_302(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> HTTPResponse | None:
        """Follow one."""
        fp.close()
        followed: HTTPResponse | None = super().http_error_302(req, fp, code, msg, headers)
        return followed

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
