"""The faults of benchmarks/soak.py, one after the other."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from app.contract.artifact import Artifact
from tests.artifacts import damage, make_artifact, write
from tests.door import Door
from tests.registry import TestRegistry

N_USERS, N_ITEMS = 2000, 5000


@dataclass
class Faults:
    """What can strike a service, the process `pid`, and the registry behind the door."""

    door: Door
    registry: TestRegistry
    port: int
    pid: int
    scratch: Path
    struck: int = 0  # so many times

    def strike(self) -> None:
        """The next fault."""
        faults: list[Callable[[], None]] = [self.registry_down, self.damaged_version, self.half_requests, self.pause]
        faults[self.struck % len(faults)]()
        self.struck += 1

    def registry_down(self) -> None:
        """MLflow is a closed port for ten seconds."""
        self.door.shut()
        time.sleep(10)
        self.door.open()

    def damaged_version(self) -> None:
        """A version with a changed byte gets the alias."""
        broken = write(self.scratch / f"broken-{self.struck}", any_artifact(self.struck))
        damage(broken / "item_biases.npy")
        self.registry.register(broken, alias="production")

    def half_requests(self) -> None:
        """A hundred clients send half a request and wait."""
        with ExitStack() as stack:
            for _ in range(100):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", self.port)))
                one.sendall(b"POST /recommendations HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
            time.sleep(10)

    def pause(self) -> None:
        """The process stands still for a second, as on a host that is out of memory."""
        os.kill(self.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(self.pid, signal.SIGCONT)


def any_artifact(seed: int) -> Artifact:
    """A model of some size."""
    seen = {user: [user, user + 1] for user in range(N_USERS)}
    return make_artifact(range(N_USERS), range(N_ITEMS), dim=32, seed=seed, seen=seen)
