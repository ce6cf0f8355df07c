"""Shares out the file descriptors of the process, and warns when they run out."""

import asyncio
import logging
import resource
from typing import Any

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
OUT_OF_DESCRIPTORS = "socket.accept() out of system resource"
TRIES_AGAIN = "_start_serving"
PLENTY = 1 << 20

_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
DESCRIPTORS = PLENTY if _limit == resource.RLIM_INFINITY else _limit
OWN = 100  # a loaded version takes 20, and so do the next one while it is loaded and that on trial


def share_out(descriptors: int) -> tuple[int, int]:
    """How many connections asyncio may accept at once, and how many the process may hold."""
    backlog = max(1, min(256, descriptors // 4))
    return backlog, max(8, min(1000, descriptors // 2, descriptors - OWN - backlog))


BACKLOG, MAX_CONNECTIONS = share_out(DESCRIPTORS)


class DescriptorWarning:
    """An exception handler for an event loop: asyncio would log a traceback whenever it can't accept a connection."""

    def __init__(self) -> None:
        self._quiet_until = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Warn at most once a second; other errors go to asyncio's handler."""
        message = context.get("message", "")
        if TRIES_AGAIN in message:
            return  # asyncio wanted to accept again, but the port has been closed meanwhile
        if message != OUT_OF_DESCRIPTORS:
            loop.default_exception_handler(context)
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + PAUSE_SECONDS
            logger.warning("New connections wait: %s. Raise the limit: ulimit -n.", context.get("exception"))
