"""A server that answers as MLflow never does."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

# Writes the whole answer; gets the path, and what the request says of who asks.
Reply = Callable[[str, str], bytes]


class StrangeRegistry(ThreadingHTTPServer):
    """Sends what `reply` gives, byte by byte as it is."""

    daemon_threads = True

    def __init__(self, reply: Reply) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply

    @property
    def uri(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: StrangeRegistry

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization", "")
        if sent.startswith("Basic "):
            sent += " " + base64.b64decode(sent.removeprefix("Basic ")).decode()
        self.wfile.write(self.server.reply(self.path, sent))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def ok(content: object) -> bytes:
    """An answer of JSON."""
    body = json.dumps(content).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def names_a_version(alias: dict[str, Any], version: dict[str, Any]) -> Reply:
    """A registry that knows one version: `alias` and `version` are added to what MLflow would say."""

    def reply(path: str, _: str) -> bytes:
        if "registered-models/get" in path:
            return ok({"registered_model": {"aliases": [{"alias": "production", "version": "2", **alias}]}})
        if "model-versions/get?" in path:
            known = {"version": "2", "creation_timestamp": 1_700_000_000_000, "run_id": "run", "tags": []}
            return ok({"model_version": {**known, **version}})
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    return reply


@contextmanager
def strange_registry(reply: Reply) -> Iterator[StrangeRegistry]:
    """The server, as long as it is needed."""
    with StrangeRegistry(reply) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
