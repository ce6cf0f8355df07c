"""Keeps the service busy for hours with promotions and faults: `make soak HOURS=1` prints what grows and plots it.

Mixed load without a pause, a promotion each minute, and each five minutes a fault: a registry that is down, a damaged
version, clients that stop half-way, a process stopped for a second. Each ten seconds memory, descriptors, threads and
latency are noted. The result is in .cache/benchmarks/soak.csv and soak.png.
"""

import argparse
import contextlib
import csv
import http.client
import json
import os
import random
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import psutil

from app.contract.artifact import Artifact
from app.settings import Settings
from benchmarks.environments import CACHE
from tests.artifacts import damage, make_artifact, write
from tests.client import Client
from tests.door import Door
from tests.processes import answers, free_port, process, wait_until
from tests.registry import TestRegistry
from tests.service import service

CLIENTS, NOTE_SECONDS = 4, 10
PROMOTE_SECONDS, FAULT_SECONDS = 60, 300
WARM_SHARE = 0.2  # of the time, which the slope leaves out
N_USERS, N_ITEMS = 2000, 5000
MEGABYTE = 1e6


@dataclass(frozen=True)
class Note:
    """The process at one moment; latencies are those since the note before."""

    seconds: float
    rss_mb: float
    descriptors: int
    threads: int
    requests: int
    failed: int
    p50_ms: float
    p99_ms: float


class Load(threading.Thread):
    """Asks all kinds of questions over one connection, and notes how long each answer takes."""

    def __init__(self, port: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.times: list[float] = []
        self.failed: list[str] = []
        self.stopping = threading.Event()
        self._port, self._random = port, random.Random(seed)

    def run(self) -> None:
        """Ask until it is stopped; a connection that ends is opened again."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self.stopping.is_set():
            path, body = self._question()
            began = time.perf_counter()
            try:
                headers = {} if body is None else {"Content-Type": "application/json"}
                connection.request("GET" if body is None else "POST", path, body, headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failed.append(f"{path}: {answer.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(f"{path}: {error!r}")
                connection.close()
            self.times.append(1000 * (time.perf_counter() - began))
        connection.close()

    def _question(self) -> tuple[str, bytes | None]:
        user, item = self._random.randrange(N_USERS + 50), self._random.randrange(N_ITEMS)
        paths = [
            f"/users/{user}/recommendations", f"/users/{user}/recommendations?k=20&genre=comedy&year_from=1980",
            f"/users/{user}/recommendations?explain=true&diversity=0.3", f"/items/{item}/similar",
            "/items/popular?k=50", f"/items?query=film+{item}", "/model", "/metrics",
            "/recommendations", "/recommendations/batch",
        ]  # fmt: skip
        path = self._random.choices(paths, [50, 10, 2, 5, 5, 2, 1, 1, 5, 1])[0]
        bodies = {"/recommendations": {"liked": [item, 1]}, "/recommendations/batch": {"user_ids": list(range(50))}}
        return path, json.dumps(bodies[path]).encode() if path in bodies else None


class Faults:
    """One fault after the other."""

    def __init__(self, door: Door, registry: TestRegistry, port: int, pid: int, scratch: Path) -> None:
        self._door, self._registry, self._port, self._pid, self._scratch = door, registry, port, pid, scratch
        self._next = 0

    def strike(self) -> None:
        """The next fault."""
        faults: list[Callable[[], None]] = [self.registry_down, self.damaged_version, self.half_requests, self.pause]
        faults[self._next % len(faults)]()
        self._next += 1

    def registry_down(self) -> None:
        """MLflow is a closed port for ten seconds."""
        self._door.shut()
        time.sleep(10)
        self._door.open()

    def damaged_version(self) -> None:
        """A version with a changed byte gets the alias."""
        broken = write(self._scratch / f"broken-{self._next}", any_artifact(self._next))
        damage(broken / "item_biases.npy")
        self._registry.register(broken, alias="production")

    def half_requests(self) -> None:
        """A hundred clients send half a request and wait."""
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", self._port)))
                one.sendall(b"POST /recommendations HTTP/1.1\r\nContent-Length: 99\r\n\r\n{")
            time.sleep(10)

    def pause(self) -> None:
        """The process stands still for a second, as on a host that is out of memory."""
        os.kill(self._pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(self._pid, signal.SIGCONT)


def any_artifact(seed: int) -> Artifact:
    """A model of some size."""
    seen = {user: [user, user + 1] for user in range(N_USERS)}
    return make_artifact(range(N_USERS), range(N_ITEMS), dim=32, seed=seed, seen=seen)


def main() -> None:
    """Run, print the slopes, and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1)
    seconds = 3600 * parser.parse_args().hours
    with tempfile.TemporaryDirectory() as folder:
        notes, failed = soak(Path(folder), seconds)
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "soak.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Note)])
        table.writeheader()
        table.writerows(asdict(note) for note in notes)
    report(notes, failed)
    plot(notes, CACHE / "soak.png")


def soak(scratch: Path, seconds: float) -> tuple[list[Note], list[str]]:
    """Note the service under load; returns the notes and the failed requests."""
    with mlflow_server(scratch) as port, Door(port) as door:
        registry = TestRegistry(f"http://127.0.0.1:{port}", "soak", scratch)
        for seed in range(3):
            registry.register(write(scratch / str(seed), any_artifact(seed)), alias="production")
        settings = Settings(
            mlflow_tracking_uri=f"http://127.0.0.1:{door.port}", model_name="soak", model_poll_seconds=2,
            model_cache_dir=scratch / "cache", events_url=None,
        )  # fmt: skip
        with service(settings, scratch / "log") as (client, running):
            wait_until(lambda: client.version() is not None, 60)
            faults = Faults(door, registry, client.port, running.pid, scratch)
            return watch(client, running.pid, registry, faults, seconds)


@contextlib.contextmanager
def mlflow_server(home: Path) -> Iterator[int]:
    """A real one; yields its port."""
    port = free_port()
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "files")]
    with process(command, {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}, home / "mlflow.log"):
        wait_until(lambda: answers(port, "/health"), seconds=90, step=0.1)
        yield port


def watch(
    client: Client, pid: int, registry: TestRegistry, faults: Faults, seconds: float
) -> tuple[list[Note], list[str]]:
    """Promote, break, and note, while the clients ask."""
    loads, notes, began = [Load(client.port, seed) for seed in range(CLIENTS)], list[Note](), time.monotonic()
    for load in loads:
        load.start()
    breaking = threading.Thread(target=every, args=[FAULT_SECONDS, seconds, faults.strike], daemon=True)
    versions = iter(range(10**9))
    promoting = threading.Thread(
        target=every,
        args=[PROMOTE_SECONDS, seconds, lambda: registry.move("production", str(next(versions) % 3 + 1))],
        daemon=True,
    )
    breaking.start()
    promoting.start()
    while (now := time.monotonic() - began) < seconds:
        time.sleep(NOTE_SECONDS)
        notes.append(note(psutil.Process(pid), loads, now + NOTE_SECONDS))
    for load in loads:
        load.stopping.set()
        load.join()
    return notes, [failure for load in loads for failure in load.failed]


def every(pause: float, until: float, act: Callable[[], None]) -> None:
    """Act each `pause` seconds, for `until` seconds."""
    began = time.monotonic()
    while time.monotonic() - began + pause < until:
        time.sleep(pause)
        act()


def note(process_: psutil.Process, loads: list[Load], seconds: float) -> Note:
    """The process now."""
    times = []
    for load in loads:
        taken, load.times = load.times, []
        times += taken
    return Note(
        seconds=round(seconds, 1),
        rss_mb=round(process_.memory_info().rss / MEGABYTE, 2),
        descriptors=process_.num_fds(),
        threads=process_.num_threads(),
        requests=len(times),
        failed=sum(len(load.failed) for load in loads),
        p50_ms=round(float(np.median(times)), 2),
        p99_ms=round(float(np.percentile(times, 99)), 2),
    )


def slope(notes: list[Note], name: str) -> tuple[float, float]:
    """Growth an hour by least squares after the warm-up, and its standard error times 1.96."""
    kept = [note for note in notes if note.seconds >= WARM_SHARE * notes[-1].seconds]
    hours = np.array([note.seconds / 3600 for note in kept])
    values = np.array([float(getattr(note, name)) for note in kept])
    (growth, _), covariance = np.polyfit(hours, values, 1, cov=True)
    return float(growth), float(1.96 * covariance[0, 0] ** 0.5)


def report(notes: list[Note], failed: list[str]) -> None:
    """Print what grew."""
    total = sum(note.requests for note in notes)
    print(f"{total:,} requests in {notes[-1].seconds / 60:.0f} minutes, {len(failed)} failed")
    for failure in failed[:10]:
        print(f"  {failure}")
    print("| | first | last | growth an hour (95 %) |\n|---|---|---|---|")
    for name in ("rss_mb", "descriptors", "threads", "p50_ms", "p99_ms"):
        growth, error = slope(notes, name)
        print(f"| {name} | {getattr(notes[0], name)} | {getattr(notes[-1], name)} | {growth:+.2f} ± {error:.2f} |")


def plot(notes: list[Note], target: Path) -> None:
    """Memory, descriptors and threads, and latency over time."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, 1, figsize=(9, 9), sharex=True)
    minutes = [note.seconds / 60 for note in notes]
    for axis, names in zip(axes, (("rss_mb",), ("descriptors", "threads"), ("p50_ms", "p99_ms")), strict=True):
        for name in names:
            axis.plot(minutes, [getattr(note, name) for note in notes], label=name)
        axis.set_ylim(bottom=0)
        axis.legend()
    axes[-1].set_xlabel("minutes")
    figure.savefig(target, dpi=120)
    print(f"\nPlotted in {target}")


if __name__ == "__main__":
    main()
