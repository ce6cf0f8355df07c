"""Gives up a connection whose client is too slow to begin a request, to send the rest of it, or to read its answers."""

import asyncio
from collections.abc import Callable

CLIENT_SECONDS = 20.0
CHECK_SECONDS = 1.0
LINGER_SECONDS = 1.0
# What a client may have to do: begin its first request or another one, send the rest, read answers.
FIRST, ANOTHER, SEND, READ = "first", "another", "send", "read"

Debt = tuple[str, int]  # what it has to do, and how far it is
Owed = Callable[[], Debt | None]


class Patience:
    """Measures how long a client has made no progress; it looks once a second."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, owed: Owed, idle: float) -> None:
        """`owed` says what the client has to do before anything goes on; `idle` is how long it may begin nothing."""
        self._loop, self._transport, self._owed, self._idle = loop, transport, owed, idle
        self._since, self._debt = loop.time(), owed()
        self._check = loop.call_later(CHECK_SECONDS, self._look)

    def end(self) -> None:
        """Stop looking."""
        self._check.cancel()

    def _look(self) -> None:
        now, debt = self._loop.time(), self._owed()
        if debt is None or debt != self._debt:
            self._since, self._debt = now, debt
        elif now - self._since >= self._seconds(debt):
            self._give_up(debt)
        self._check = self._loop.call_later(CHECK_SECONDS, self._look)

    def _seconds(self, debt: Debt) -> float:
        if debt[0] == ANOTHER:
            return self._idle
        return LINGER_SECONDS if debt == (READ, 0) else CLIENT_SECONDS

    def _give_up(self, debt: Debt) -> None:
        if debt[0] == READ:
            self._transport.abort()
        else:
            self._transport.close()
