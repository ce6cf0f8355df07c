"""Measures how many events the service takes in, each answered once it is on the disk.

    python -m benchmarks.events [--seconds 10] [--rounds 3] [--stores sqlite,postgresql]

PostgreSQL comes from the wheel that the tests use. At the end every event that was answered with 200 must be there.
"""

import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.store import EventStore
from benchmarks import load
from benchmarks.big_artifact import Size, kept
from benchmarks.load import Load, Request
from benchmarks.options import options
from benchmarks.report import table
from benchmarks.servers import Server, serving
from tests.postgres import postgres_of_events

CATALOGUE = Size(users=1000, items=1000, seen=100_000, ready=10)
USERS = 100_000
WARM_SECONDS = 2
PAGE = 10_000
COMMAND = (sys.executable, "-m", "app", "--host", "127.0.0.1", "--port", "{port}")


@dataclass(frozen=True)
class Case:
    """Bodies of `events` events over some connections, and the mark: events a second."""

    events: int
    connections: int
    marks: dict[str, int]


CASES = (
    Case(1, 32, {"sqlite": 2000, "postgresql": 1500}),
    Case(100, 32, {"sqlite": 10_000, "postgresql": 10_000}),
    Case(1000, 4, {"sqlite": 10_000, "postgresql": 10_000}),
)


def main() -> None:
    """Measure and print a table; exits with 1 if an answered event is missing or a mark is missed."""
    given = options(__doc__, seconds=10, rounds=3, stores=("sqlite", "postgresql"))
    load.require_wrk()
    print(f"Before: {os.getloadavg()[0]:.1f} processors are busy with other programs", flush=True)
    artifact = kept(CATALOGUE)
    item = int(np.load(artifact / "item_ids.npy")[0])
    rows = [row for store in given.stores for row in _measure(store, artifact, item, given)]
    header = ["store", "events in a body", "connections", "events/s", "mark", "p50, ms", "p99, ms"]
    print(f"\n{table([*header, 'processor, µs an event'], [row for row, _ in rows])}")
    sys.exit(not all(is_good for _, is_good in rows))


def _measure(store: str, artifact: Path, item: int, given: Namespace) -> Iterator[tuple[list[str], bool]]:
    """A row for each case, and whether the mark is reached."""
    variables = {"MODEL_DIR": str(artifact), "LOG_LEVEL": "WARNING"}
    with (
        tempfile.TemporaryDirectory() as scratch,
        _url(store, Path(scratch)) as url,
        serving(f"events-{store}", COMMAND, {**variables, "EVENTS_URL": url, "MODEL_CACHE_DIR": scratch}) as (
            server,
            started,
        ),
    ):
        server.seconds_to_first_answer(_request(item, 1), started)
        for case in CASES:
            yield _row(
                store, case, _median([_load(server, case, item, url, given.seconds) for _ in range(given.rounds)])
            )


@contextmanager
def _url(store: str, scratch: Path) -> Iterator[str]:
    if store == "sqlite":
        yield f"sqlite:///{scratch}/events.db"
        return
    with postgres_of_events(scratch / "postgres") as server:
        yield server.url("events_service")


def _request(item: int, events: int) -> Request:
    # `%d` is a random user. The service makes the id of an event that has none.
    event = f'{{"user_id":%d,"item_id":{item},"type":"like"}}'
    return Request("/events", f'{{"events":[{",".join([event] * events)}]}}')


def _load(server: Server, case: Case, item: int, url: str, seconds: int) -> Load:
    """One run; `processor_ms` is that of the service for one event."""
    request = _request(item, case.events)
    load.run(server.port, request, USERS, case.connections, WARM_SECONDS)
    store = open_store(StoreAddress(url))
    position, before = store.latest(), server.processor_seconds()
    found = load.run(server.port, request, USERS, case.connections, seconds)
    used = server.processor_seconds() - before
    stored = _count_after(store, position)
    store.close()
    if found.errors or stored < found.answered * case.events:
        sys.exit(f"{found.errors} errors; {found.answered * case.events} events answered, and {stored} stored")
    print(f"  {case.events} an event body: {found.rate * case.events:.0f} events/s", flush=True)
    return replace(found, rate=found.rate * case.events, processor_ms=1000 * used / stored)


def _count_after(store: EventStore, position: int) -> int:
    count = 0
    while page := store.read_after(position, PAGE):
        count, position = count + len(page), page[-1].position
    return count


def _median(runs: list[Load]) -> Load:
    middle = median(run.rate for run in runs)
    return min(runs, key=lambda run: abs(run.rate - middle))


def _row(store: str, case: Case, run: Load) -> tuple[list[str], bool]:
    mark, counts = case.marks[store], (str(case.events), str(case.connections))
    figures = (f"{run.p50:.0f}", f"{run.p99:.0f}", f"{1000 * run.processor_ms:.0f}")
    return [store, *counts, f"{run.rate:,.0f}", f"≥ {mark:,}", *figures], run.rate >= mark


if __name__ == "__main__":
    main()
