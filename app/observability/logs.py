"""Writes log lines to standard error: plain text for people, or JSON for programs."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from functools import lru_cache

# python-json-logger would take twice as long for the line of a request.
ENCODER = json.JSONEncoder(default=str)
PLAIN_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
Mask = Callable[[str], str]
# Uvicorn gives its loggers levels of their own before it loads the application.
SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")


class MaskedFormatter(logging.Formatter):
    """Writes a line without secrets, as plain text with a traceback below it, or as one JSON object."""

    def __init__(self, mask: Mask, *, as_json: bool) -> None:
        """`mask` hides secrets."""
        super().__init__(PLAIN_LINE)
        self._mask, self._line = mask, self._json if as_json else super().format

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return self._mask(self._line(record))

    def _json(self, record: logging.LogRecord) -> str:
        """Named values of the message become keys."""
        fields: dict[str, object] = dict(record.args) if isinstance(record.args, Mapping) else {}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json_line(record.created, record.levelname, record.name, record.getMessage(), fields)


def json_line(now: float, level: str, logger: str, message: str, fields: Mapping[str, object]) -> str:
    """A JSON object with the time `now`, in seconds since 1970, and `fields` after the keys that all lines have."""
    second = int(now)
    head = {
        "time": f"{_utc(second)}.{int(1000 * (now - second)):03d}+00:00",
        "level": level,
        "logger": logger,
        "message": message,
    }
    return ENCODER.encode({**head, **fields})


def configure_logging(level: str, log_format: str, mask: Mask) -> None:
    """Log our lines and the server's from `level` on, in one format, and those of libraries from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(MaskedFormatter(mask, as_json=log_format == "json"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("app", *SERVER_LOGGERS):
        logging.getLogger(name).setLevel(level)
    server, access = logging.getLogger("uvicorn"), logging.getLogger("uvicorn.access")
    server.handlers.clear()
    server.propagate = True
    # request_log.py writes a line for each request. Uvicorn makes no line of its own if its logger has no handler.
    access.handlers.clear()
    access.propagate = False


@lru_cache(maxsize=1)
def _utc(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
