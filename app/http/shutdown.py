"""A graceful end: nobody sends new requests by the time that the server stops taking them.

At SIGTERM uvicorn closes its port at once and lets running requests end. A load balancer that learns of it
only then sends requests to a closed port for a while. So ready turns 503 first, everything is answered for
some seconds more, and only then uvicorn is told.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

Handler = Callable[[int, FrameType | None], object]

logger = logging.getLogger(__name__)


class GracefulStop:
    """Stands between SIGTERM and the server; `has_begun` is what ready asks."""

    def __init__(self, drain_seconds: float) -> None:
        self.has_begun = False
        self._drain_seconds = drain_seconds

    def install(self) -> None:
        """Take SIGTERM from the server that runs this loop; to be called when it starts the application."""
        # Only the main thread gets signals: a server in another one is stopped by other means.
        former = signal.getsignal(signal.SIGTERM)
        if callable(former) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, partial(self._stop, asyncio.get_running_loop(), former))

    def _stop(self, loop: asyncio.AbstractEventLoop, server: Handler, number: int, frame: FrameType | None) -> None:
        is_first, self.has_begun = not self.has_begun, True
        if is_first and self._drain_seconds:
            logger.info("Not ready any more; the end begins in %g seconds", self._drain_seconds)
            loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, server, number, None)
        else:
            server(number, frame)
