"""Shows each worker's metrics on a port of its own, as all workers share the port that clients use."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

MOST_WORKERS = 64
LAST_PORT = 65_535

logger = logging.getLogger(__name__)


@contextmanager
def metrics_port(first: int | None, host: str, collectors: CollectorRegistry) -> Iterator[None]:
    """Serve `/metrics` on the first free port from `first` on, in a thread; nothing if `first` is None.

    Raises OSError where none of 64 ports is free, or the host is not one of this machine.
    """
    if first is None:
        yield
        return
    server = _on_free_port(first, host, collectors)
    try:
        yield
    finally:
        server.shutdown()  # returns once its thread serves no more
        server.server_close()


def _on_free_port(first: int, host: str, collectors: CollectorRegistry) -> WSGIServer:
    last = min(first + MOST_WORKERS - 1, LAST_PORT)
    for port in range(first, last + 1):
        if server := _unless_taken(port, host, collectors):
            logger.info("This worker's metrics: http://%s:%d/metrics", host, port)
            return server
    raise OSError(errno.EADDRINUSE, f"METRICS_PORT is {first}, but no port from it to {last} is free on {host}")


def _unless_taken(port: int, host: str, collectors: CollectorRegistry) -> WSGIServer | None:
    try:
        return start_http_server(port, host, collectors)[0]
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return None
