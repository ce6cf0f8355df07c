"""Real processes for tests: started, waited for, ended."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PROJECT = Path(__file__).parent.parent


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on; what connects to it is refused until somebody does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], seconds: float = 20, step: float = 0.02) -> None:
    """Return once the condition holds; raises TimeoutError if it doesn't in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {condition}")
        time.sleep(step)


@contextmanager
def process(
    command: list[str], env: Mapping[str, str], log: Path, wrapper: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the tests' Python, its output in `log`; ended by SIGTERM. `wrapper` is a program that starts it."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            [*wrapper, sys.executable, "-m", *command],
            env={**os.environ, **env},
            cwd=PROJECT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(10)
        # Also what is left of its own children: MLflow 2 ends without its server.
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def answers(port: int, path: str) -> bool:
    """Whether there is an answer of status 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
