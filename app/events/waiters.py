"""Requests that wait for the overlay to have the events up to a position."""

import asyncio
import threading
from typing import NamedTuple


class _Waiter(NamedTuple):
    position: int
    future: "asyncio.Future[None]"


class Waiters:
    """Used by one event loop, and by the thread that moves the position."""

    def __init__(self, wanted: threading.Event) -> None:
        """`wanted` is set when somebody begins to wait."""
        self._wanted = wanted
        self._position = 0
        self._waiting: list[_Waiter] = []  # changed by the event loop only
        self._loop: asyncio.AbstractEventLoop | None = None

    async def wait_for(self, position: int, seconds: float) -> bool:
        """Wait until a position is reached; False if it has not been after so many seconds."""
        if self._position >= position:
            return True
        self._loop = asyncio.get_running_loop()
        waiter = _Waiter(position, self._loop.create_future())
        self._waiting.append(waiter)
        self._wanted.set()
        self._release()  # if the position was reached meanwhile
        await asyncio.wait([waiter.future], timeout=seconds)
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        return waiter.future.done()

    def reached(self, position: int) -> None:
        """Note a new position, and wake those who wait for it."""
        self._position = position
        if self._waiting and self._loop is not None:
            self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, [each for each in self._waiting if each.position > self._position]
        for each in waiting:
            if each.position <= self._position and not each.future.done():
                each.future.set_result(None)
