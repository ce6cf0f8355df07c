"""Servers under test: starts one, asks it, measures its memory and processor time."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.environments import CACHE, PROJECT
from benchmarks.load import Request
from benchmarks.timing import processor_seconds
from scripts.programs import free_port, running
from tests.client import Client

START_SECONDS = 120
MEGABYTE = 1e6
# Nothing else of the caller's environment reaches a server, where it could be a setting.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
# One worker calculates with one thread: more of them wait for each other in a loop, on the processor that wrk needs.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
NO_EVENTS = {"EVENTS_URL": "off"}


@dataclass(frozen=True)
class Memory:
    """Of a process tree, in MB. PSS shares out what several processes map; USS is what no other process has."""

    pss: float
    uss: float
    rss: float
    uss_of_each: tuple[float, ...]


@dataclass
class Server:
    """A process with all that it has started."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def seconds_to_first_answer(self, request: Request, started: float) -> float:
        """Ask until the answer has the status 200; exits with a sentence if the server ends or takes too long."""
        while time.perf_counter() - started < START_SECONDS:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with exit code {self.process.returncode}; see {self.log}")
            with suppress(OSError, http.client.HTTPException):
                if self.ask(request, user=1)[0] == 200:
                    return time.perf_counter() - started
            time.sleep(0.005)
        sys.exit(f"{self.name} did not answer within {START_SECONDS} s; see {self.log}")

    def ask(self, request: Request, user: int) -> tuple[int, bytes]:
        """Status and body of one answer."""
        headers = {"Content-Type": "application/json"} if request.body else {}
        path, body = (text.replace("%d", str(user)) for text in (request.path, request.body))
        answer = Client(self.port, timeout=30).get(path, request.method, headers, body.encode() or None)
        return answer.status, answer.body

    def memory(self) -> Memory:
        """What the process tree holds now."""
        found = [process.memory_full_info() for process in self.tree()]
        uss = tuple(info.uss / MEGABYTE for info in found)
        return Memory(
            sum(info.pss for info in found) / MEGABYTE, sum(uss), sum(info.rss for info in found) / MEGABYTE, uss
        )

    def processor_seconds(self) -> float:
        """What the process tree has used of the processors since it was started."""
        return processor_seconds(self.tree())

    def tree(self) -> list[psutil.Process]:
        """The process and its descendants."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]


@contextmanager
def serving(name: str, command: Sequence[str], variables: Mapping[str, str]) -> Iterator[tuple[Server, float]]:
    """Start a server on a free port, `{port}` in its command; yields it and the time of its start."""
    log = CACHE / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    port = free_port()
    program = [part.format(port=port) for part in command]
    inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
    environment = {**inherited, **ONE_THREAD, **NO_EVENTS, **variables}
    started = time.perf_counter()
    with log.open("wb") as output, running(program, environment=environment, folder=PROJECT, output=output) as process:
        yield Server(name, port, process, log), started
