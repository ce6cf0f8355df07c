"""Starts programs, and ends them together with all that they have started."""

import itertools
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

STOP_SECONDS = 10
# Below those that the system gives to connections and to port 0, so that none of these takes one that is to be free.
PORTS = range(20_000, 32_000)
# Processes with neighbouring ids start far from each other.
_places = itertools.count(os.getpid() * 7919)


@contextmanager
def running(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, output: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own, and stop the group at the end.

    Ctrl-C in the terminal doesn't reach the group. Without `output` the program writes to the terminal.
    """
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Send SIGTERM to the group, and SIGKILL to what is left once the process has ended; harmless when repeated."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def free_port() -> int:
    """A port of 127.0.0.1 that no program listens on, another one at each call; connections to it are refused."""
    while True:
        port = PORTS[next(_places) % len(PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
