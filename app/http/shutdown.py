"""Stops the service gracefully: clients go elsewhere before the port closes.

At SIGTERM uvicorn closes its port at once and lets running requests end. A load balancer that has not noticed yet would
send requests to the closed port. So `/health/ready` answers 503 first, all other requests are answered for some seconds
more, and only then does uvicorn get the signal.
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
    """Delays SIGTERM on its way to the server; `/health/ready` answers 503 once it `has_begun`."""

    def __init__(self, drain_seconds: float) -> None:
        self.has_begun = False
        self._drain_seconds = drain_seconds

    def install(self) -> None:
        """Take over SIGTERM from the server; the server calls this when it starts the application."""
        # Only the main thread gets signals; a server in another thread is stopped in other ways.
        former = signal.getsignal(signal.SIGTERM)
        if callable(former) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, partial(self._stop, asyncio.get_running_loop(), former))

    def _stop(self, loop: asyncio.AbstractEventLoop, server: Handler, number: int, frame: FrameType | None) -> None:
        is_first, self.has_begun = not self.has_begun, True
        if is_first and self._drain_seconds:
            logger.info("Not ready any more; stopping in %g seconds", self._drain_seconds)
            loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, server, number, None)
        else:
            server(number, frame)
