"""Log lines on standard error: plain text for people, or JSON for programs."""

import json
import logging
from collections.abc import Mapping
from datetime import datetime, timezone

PLAIN_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonFormatter(logging.Formatter):
    """One JSON object a line; what a line was given as named values becomes keys."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if isinstance(record.args, Mapping):
            line |= record.args
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logging(level: str, log_format: str) -> None:
    """Ours from `level` on, those of libraries from WARNING on, the server's in the same form as ours."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else logging.Formatter(PLAIN_LINE))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("app").setLevel(level)
    server, access = logging.getLogger("uvicorn"), logging.getLogger("uvicorn.access")
    server.handlers.clear()
    server.propagate = True
    # Each request has a line of ours, from request_log.py; without a handler uvicorn doesn't even make its own.
    access.handlers.clear()
    access.propagate = False
