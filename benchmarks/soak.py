"""Keeps the service busy for hours with promotions and faults: `make soak HOURS=1` prints what grows and plots it.

Mixed load without a pause, a promotion each minute, and each five minutes a fault: a registry that is down, a damaged
version, clients that stop half-way, a process stopped for a second. Each ten seconds memory, descriptors, threads and
latency are noted. The result is in .cache/benchmarks/soak.csv and soak.png.
"""

import http.client
import json
import random
import tempfile
import threading
import time
from datetime import timezone
from itertools import chain, cycle
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from apscheduler.schedulers.background import BackgroundScheduler

from app.settings import Settings
from benchmarks.environments import CACHE
from benchmarks.faults import N_ITEMS, N_USERS, Faults, any_artifact
from benchmarks.options import options
from tests.artifacts import write
from tests.client import Client
from tests.door import Door
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import service
from tests.shared import shared_mlflow

CLIENTS, NOTE_SECONDS = 4, 10
PROMOTE_SECONDS, FAULT_SECONDS = 60, 300
WARM_SHARE = 0.2  # of the time, which the slope leaves out
MEGABYTE = 1e6
PLOTTED = [("rss_mb",), ("descriptors", "threads"), ("p50_ms", "p99_ms")]  # each in a picture of its own


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


def main() -> None:
    """Run, print the slopes, and plot."""
    seconds = 3600 * options(__doc__, hours=1.0).hours
    with tempfile.TemporaryDirectory() as folder:
        notes, failed = soak(Path(folder), seconds)
    CACHE.mkdir(parents=True, exist_ok=True)
    notes.to_csv(CACHE / "soak.csv", index=False)
    report(notes, failed)
    plot(notes, CACHE / "soak.png")


def soak(scratch: Path, seconds: float) -> tuple[pd.DataFrame, list[str]]:
    """Note the service under load; returns the notes and the failed requests."""
    with shared_mlflow(scratch) as address, Door(int(address.rpartition(":")[2])) as door:
        registry = TestRegistry(address, "soak", scratch)
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


def watch(
    client: Client, pid: int, registry: TestRegistry, faults: Faults, seconds: float
) -> tuple[pd.DataFrame, list[str]]:
    """Promote, break, and note, while the clients ask."""
    loads, notes, began = [Load(client.port, seed) for seed in range(CLIENTS)], [], time.monotonic()
    for load in loads:
        load.start()
    scheduler, versions = BackgroundScheduler(timezone=timezone.utc), cycle("123")
    scheduler.add_job(faults.strike, "interval", seconds=FAULT_SECONDS)
    scheduler.add_job(lambda: registry.move("production", next(versions)), "interval", seconds=PROMOTE_SECONDS)
    scheduler.start()
    while (now := time.monotonic() - began) < seconds:
        time.sleep(NOTE_SECONDS)
        notes.append(note(psutil.Process(pid), loads, now + NOTE_SECONDS))
    scheduler.shutdown()
    for load in loads:
        load.stopping.set()
        load.join()
    return pd.DataFrame(notes), [failure for load in loads for failure in load.failed]


def note(process: psutil.Process, loads: list[Load], seconds: float) -> dict[str, float]:
    """The process now; latencies are those since the note before."""
    times = []
    for load in loads:
        taken, load.times = load.times, []
        times += taken
    return {
        "seconds": round(seconds, 1),
        "rss_mb": round(process.memory_info().rss / MEGABYTE, 2),
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
        "requests": len(times),
        "failed": sum(len(load.failed) for load in loads),
        "p50_ms": round(float(np.median(times)), 2),
        "p99_ms": round(float(np.percentile(times, 99)), 2),
    }


def slope(notes: pd.DataFrame, name: str) -> tuple[float, float]:
    """Growth an hour by least squares after the warm-up, and its standard error times 1.96."""
    kept = notes[notes["seconds"] >= WARM_SHARE * notes["seconds"].max()]
    (growth, _), covariance = np.polyfit(kept["seconds"] / 3600, kept[name], 1, cov=True)
    return float(growth), float(1.96 * covariance[0, 0] ** 0.5)


def report(notes: pd.DataFrame, failed: list[str]) -> None:
    """Print what grew."""
    minutes = notes["seconds"].max() / 60
    print(f"{notes['requests'].sum():,} requests in {minutes:.0f} minutes, {len(failed)} failed")
    for failure in failed[:10]:
        print(f"  {failure}")
    print("| | first | last | growth an hour (95 %) |\n|---|---|---|---|")
    for name in chain(*PLOTTED):
        growth, error = slope(notes, name)
        print(f"| {name} | {notes[name].iloc[0]} | {notes[name].iloc[-1]} | {growth:+.2f} ± {error:.2f} |")


def plot(notes: pd.DataFrame, target: Path) -> None:
    """Memory, descriptors and threads, and latency over time."""
    import matplotlib as mpl

    mpl.use("Agg")
    plotted = notes.set_index(notes["seconds"].rename("minutes") / 60)[[*chain(*PLOTTED)]]
    axes = plotted.plot(subplots=PLOTTED, figsize=(9, 9))
    for each in axes:
        each.set_ylim(bottom=0)
    axes[0].figure.savefig(target, dpi=120)
    print(f"\nPlotted in {target}")


if __name__ == "__main__":
    main()
