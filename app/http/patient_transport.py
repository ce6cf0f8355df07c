"""Closes a connection so that its client can still read the answer.

The system resets a connection that is closed with unread bytes, and the client then loses its answer.
"""

import asyncio
from collections.abc import Callable

PASSED_ON = (
    "abort",
    "get_extra_info",
    "get_write_buffer_size",
    "is_closing",
    "pause_reading",
    "resume_reading",
    "set_protocol",
    "write",
)


class PatientTransport(asyncio.Transport):
    """A transport that ends its own side only, while the client still sends; its protocol drops the rest and aborts."""

    def __init__(self, transport: asyncio.Transport, still_sends: Callable[[], bool]) -> None:
        super().__init__()
        self._transport, self._still_sends = transport, still_sends
        for name in PASSED_ON:
            setattr(self, name, getattr(transport, name))

    def close(self) -> None:
        """Write what is left, then end the connection, or its sending side."""
        if self.is_closing():
            return
        if self._still_sends() and self._transport.can_write_eof():
            self.is_closing = lambda: True  # type: ignore[method-assign]
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()
