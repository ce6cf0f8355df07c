"""Closes a connection so that its client can still read the answer.

The system resets a connection that is closed with unread bytes, and the client then loses its answer.
"""

import asyncio
from collections.abc import Callable

PASSED_ON = (
    "abort",
    "get_extra_info",
    "get_write_buffer_size",
    "pause_reading",
    "resume_reading",
    "set_protocol",
    "write",
)


class PatientTransport(asyncio.Transport):
    """A transport that ends its own side only, while the client still sends; its protocol drops the rest and aborts."""

    def __init__(self, transport: asyncio.Transport, still_sends: Callable[[], bool]) -> None:
        super().__init__()
        self._transport, self._still_sends, self._is_lingering = transport, still_sends, False
        for name in PASSED_ON:
            setattr(self, name, getattr(transport, name))

    def is_closing(self) -> bool:
        """Whether nothing more is written."""
        return self._is_lingering or self._transport.is_closing()

    def close(self) -> None:
        """Write what is left, then end the connection, or its sending side."""
        if self.is_closing():
            return
        if self._still_sends() and self._transport.can_write_eof():
            self._is_lingering = True
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()
