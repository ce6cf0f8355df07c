"""The service as a real process, and a client that asks without a pause."""

import http.client
import json
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from pydantic import SecretStr

from app.contract.store_address import NO_STORE
from app.settings import Settings
from tests.client import Client
from tests.metrics import samples
from tests.processes import answers, free_port, process, wait_until

COMMAND = ["app"]


def environment(settings: Settings) -> dict[str, str]:
    """The environment variables of these settings."""
    variables = {name.upper(): _written(value) for name, value in settings.model_dump().items() if value is not None}
    return {"EVENTS_URL": NO_STORE, **variables}


def _written(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


@contextmanager
def service(
    settings: Settings, log: Path, more: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()
) -> Iterator[tuple[Client, "subprocess.Popen[bytes]"]]:
    """The service as it is deployed; `more` are further variables, `wrapper` is a program that starts it."""
    port = free_port()
    with process([*COMMAND, "--port", str(port)], {**environment(settings), **(more or {})}, log, wrapper) as started:
        wait_until(lambda: answers(port, "/health/live"), seconds=90)
        yield Client(port), started


def serves(client: Client, version: str) -> Callable[[], bool]:
    """The condition that this version is loaded."""
    return lambda: client.version() == version


def polls(client: Client) -> float:
    """How often the service has asked the registry for the alias, whatever came of it."""
    found = samples(client.get("/metrics").body.decode())
    return sum(value for name, value in found.items() if name.startswith("recommender_model_polls_total"))


def wait_for_polls(client: Client, count: int) -> None:
    """Return once the service has asked the registry `count` times more."""
    before = polls(client)
    wait_until(lambda: polls(client) >= before + count)


class Asking(threading.Thread):
    """Asks for recommendations over one connection until it is stopped, and once more then."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.answers: list[tuple[int, str]] = []
        self.stopping = threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)

    def run(self) -> None:
        """Ask."""
        last = False
        while not last:
            last = self.stopping.is_set()
            self._connection.request("GET", "/users/1/recommendations")
            response = self._connection.getresponse()
            self.answers.append((response.status, json.load(response)["model_version"]))
        self._connection.close()

    def stop(self) -> list[tuple[int, str]]:
        """Stop; returns status and version of every answer."""
        self.stopping.set()
        self.join()
        return self.answers


def changes(answered: list[tuple[int, str]]) -> list[str]:
    """The versions that followed the first one."""
    versions = [version for _, version in answered]
    return [after for before, after in pairwise(versions) if before != after]
