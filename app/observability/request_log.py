"""Writes one line for each request to standard error, in the format of logs.py.

Python's logging takes longer for a line than the model takes for a list of items. So this module puts lines together
itself, and writes them ten times a second.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from app.observability.logs import json_line

LOGGER = "app.requests"
FLUSH_SECONDS = 0.1


class Answered(NamedTuple):
    """A request that was answered; `path` is still encoded, and so holds no line breaks."""

    method: str
    route: str
    path: str
    status: int
    ms: float
    request_id: str
    model_version: str | None


class RequestLog:
    """Collects lines and writes them within FLUSH_SECONDS; to be used by one event loop."""

    def __init__(self, level: str, log_format: str) -> None:
        self.is_on = level in {"DEBUG", "INFO"}
        self._line: Callable[[Answered, float], str] = _json_line if log_format == "json" else _plain_line
        self._lines: list[str] = []

    def add(self, answered: Answered) -> None:
        """Add the line of a request that has just been answered."""
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        self._lines.append(self._line(answered, time.time()))

    def flush(self) -> None:
        """Write all lines that were added."""
        lines, self._lines = self._lines, []
        sys.stderr.write("".join(lines))


def _plain_line(answered: Answered, now: float) -> str:
    second = int(now)
    method, route, path, status, ms, request_id, model_version = answered
    return (
        f"{_local(second)},{int(1000 * (now - second)):03d} INFO {LOGGER}: {method} {path} {status} {ms:.1f} ms, "
        f"route {route}, model {model_version}, id {request_id}\n"
    )


def _json_line(answered: Answered, now: float) -> str:
    return json_line(now, "INFO", LOGGER, "request", answered._asdict() | {"ms": round(answered.ms, 2)}) + "\n"


@lru_cache(maxsize=1)
def _local(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
