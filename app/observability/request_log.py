"""One line a request on standard error, like those of app/observability/logs.py.

Python's logging takes longer for a line than the model for a list of films, hence a way of its own: lines are put
together here, and written ten times a second.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

LOGGER = "app.requests"
FLUSH_SECONDS = 0.1


class Answered(NamedTuple):
    """A request that was answered; `path` as it was sent, so that it has no line breaks."""

    method: str
    route: str
    path: str
    status: int
    ms: float
    request_id: str
    model_version: str | None


class RequestLog:
    """Collects lines and writes them soon; for use within one event loop."""

    def __init__(self, level: str, log_format: str) -> None:
        self.is_on = level in {"DEBUG", "INFO"}
        self._line: Callable[[Answered, float], str] = _json_line if log_format == "json" else _plain_line
        self._lines: list[str] = []

    def add(self, answered: Answered) -> None:
        """Note a request that has just been answered."""
        if not self._lines:
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
        self._lines.append(self._line(answered, time.time()))

    def flush(self) -> None:
        """Write what is there."""
        lines, self._lines = self._lines, []
        sys.stderr.write("".join(lines))
        sys.stderr.flush()


def _plain_line(answered: Answered, now: float) -> str:
    second = int(now)
    method, route, path, status, ms, request_id, model_version = answered
    return (
        f"{_local(second)},{int(1000 * (now - second)):03d} INFO {LOGGER}: {method} {path} {status} {ms:.1f} ms, "
        f"route {route}, model {model_version}, id {request_id}\n"
    )


def _json_line(answered: Answered, now: float) -> str:
    second = int(now)
    start = {
        "time": f"{_utc(second)}.{int(1000 * (now - second)):03d}+00:00",
        "level": "INFO",
        "logger": LOGGER,
        "message": "request",
    }
    return json.dumps(start | answered._asdict()) + "\n"


@lru_cache(maxsize=1)
def _local(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))


@lru_cache(maxsize=1)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
