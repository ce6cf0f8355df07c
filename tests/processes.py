"""Starts real processes for tests, and waits for them."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.programs import free_port as free_port
from scripts.programs import running

PROJECT = Path(__file__).parent.parent


def wait_until(condition: Callable[[], bool], seconds: float = 300, step: float = 0.05) -> None:
    """Return once the condition holds; raises TimeoutError if it never does, however busy the machine is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {condition}")
        time.sleep(step)


@contextmanager
def process(
    command: list[str], env: Mapping[str, str], log: Path, wrapper: Sequence[str] = ()
) -> Iterator["subprocess.Popen[bytes]"]:
    """A module that the tests' Python runs, its output in `log`; stopped at the end. `wrapper` is what starts it."""
    program, environment = [*wrapper, sys.executable, "-m", *command], {**os.environ, **env}
    with log.open("ab") as output, running(program, environment=environment, folder=PROJECT, output=output) as started:
        yield started


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
