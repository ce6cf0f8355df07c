"""Says once a second that no file descriptors are left; asyncio would write a traceback for every try to accept."""

import asyncio
import logging
from typing import Any

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
OUT_OF_DESCRIPTORS = "socket.accept() out of system resource"


class DescriptorWarning:
    """An exception handler for an event loop."""

    def __init__(self) -> None:
        self._quiet_until = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Warn at most once a second; other errors are handled as ever."""
        if context.get("message") != OUT_OF_DESCRIPTORS:
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + PAUSE_SECONDS
            logger.warning("New connections wait: %s. Raise the limit: ulimit -n.", context.get("exception"))
