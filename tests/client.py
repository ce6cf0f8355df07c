"""The service over real HTTP, in this process or any."""

import gc
import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from app.contract.artifact_directory import content_hash
from app.http.known_uvicorn import IS_KNOWN, PROTOCOL
from app.http.protocol import LimitedProtocol
from app.main import Service, create_app
from app.model.registered_version import RegisteredVersion
from app.registry.cache import ModelCache
from app.settings import Settings
from tests.processes import wait_until


@dataclass(frozen=True)
class Answer:
    """An answer of the service."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body read as JSON."""
        content: dict[str, Any] = json.loads(self.body)
        return content


def without_id(answer: Answer) -> bytes:
    """The body without the id of its list, which no two answers share."""
    return re.sub(rb'"recommendation_id":"[\w-]+",?', b"", answer.body)


@dataclass(frozen=True)
class Client:
    """Sends paths exactly as they are written, without decoding or normalising them."""

    port: int
    timeout: float = 10

    def get(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request on its own connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def post(self, path: str, content: object) -> Answer:
        """One request with a body of JSON."""
        return self.get(path, "POST", {"Content-Type": "application/json"}, json.dumps(content).encode())

    def version(self) -> str | None:
        """The loaded version."""
        version: str | None = self.get("/model").json["version"]
        return version


class Protocol(LimitedProtocol):
    """As in `python -m app`, without uvicorn's access log: pytest adds handlers to its logger, which switches it on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False


@contextmanager
def serving(settings: Settings, app: Service | None = None, port: int = 0, keep_alive: int = 5) -> Iterator[Client]:
    """The service, or the one given, in a thread of this process, as `python -m app` runs it."""
    # With port 0 the system chooses one. uvicorn sets up no logging, so that pytest sees the lines.
    app = app or create_app(settings)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_config=None,
        http=Protocol if IS_KNOWN else PROTOCOL,
        ws="none",
        proxy_headers=False,
        timeout_keep_alive=keep_alive,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        yield Client(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        gc.unfreeze()  # what a service keeps for its whole life, a test process must be able to free


def put_in_cache(settings: Settings, artifact: Path, version: str = "1") -> RegisteredVersion:
    """Have the service start with this artifact although its registry is down; the directory is moved away."""
    registered = RegisteredVersion(version, created=0, run_id="")
    cache = ModelCache(settings)
    with cache.download_directory():  # makes the cache's directory
        cache.add(registered, artifact, content_hash(artifact))
    return registered
