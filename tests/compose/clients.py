"""Clients that go on asking the gateway while something is broken."""

import http.client
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

CLIENTS = 4
PAUSE_SECONDS = 0.05  # of each between two requests: all together stay below the gateway's limit
PATIENCE_SECONDS = 30
USERS = 1000  # a few who got all lists would drown what a trial counts


@dataclass
class Clients:
    """A context: inside, requests are sent and counted."""

    port: int
    requests: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0
    versions: set[str] = field(default_factory=set)
    lists: list[tuple[float, set[int]]] = field(default_factory=list)  # when each was asked for, and its films

    def __enter__(self) -> "Clients":
        self._stopping, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=[number], daemon=True) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        users = itertools.cycle(range(number, USERS, CLIENTS))
        while not self._stopping.wait(PAUSE_SECONDS):
            started = time.monotonic()
            try:
                connection.request("GET", f"/users/{next(users)}/recommendations?k=3")
                response = connection.getresponse()
                body = response.read()
                failure = "" if response.status == 200 else f"{response.status} {body.decode()}"
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                body, failure = b"", repr(error)
            self._count(started, body, failure)
        connection.close()

    def _count(self, started: float, body: bytes, failure: str) -> None:
        with self._lock:
            self.requests += 1
            self.slowest = max(self.slowest, time.monotonic() - started)
            if failure:
                self.failures.append(failure)
            else:
                answer = json.loads(body)
                self.versions.add(answer["model_version"])
                self.lists.append((started, {item["id"] for item in answer["items"]}))
