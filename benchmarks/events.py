"""Measures how many events the service takes in, each answered once it is on the disk.

    python -m benchmarks.events [--seconds 10] [--rounds 3] [--stores sqlite postgresql]

PostgreSQL comes from the wheel that the tests use. At the end every event that was answered with 200 must be there.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from benchmarks import load
from benchmarks.big_artifact import Size, kept
from benchmarks.load import Load, Request
from benchmarks.servers import Server, serving
from tests.postgres import postgres

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
    options = _options()
    load.require_wrk()
    print(f"Before: {os.getloadavg()[0]:.1f} processors are busy with other programs", flush=True)
    artifact = kept(CATALOGUE)
    item = int(np.load(artifact / "item_ids.npy")[0])
    rows = [row for store in options.stores for row in _measure(store, artifact, item, options)]
    print("\n| store | events in a body | connections | events/s | mark | p50, ms | p99, ms | processor, µs an event |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(row for row, _ in rows))
    sys.exit(not all(is_good for _, is_good in rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stores", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"])
    return parser.parse_args()


def _measure(store: str, artifact: Path, item: int, options: argparse.Namespace) -> Iterator[tuple[str, bool]]:
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
            yield _row(store, case, _median([_load(server, case, item, url, options) for _ in range(options.rounds)]))


@contextmanager
def _url(store: str, scratch: Path) -> Iterator[str]:
    if store == "sqlite":
        yield f"sqlite:///{scratch}/events.db"
        return
    with postgres(scratch / "postgres") as server:
        if (made := server.make_database()).returncode:
            sys.exit(made.stderr)
        yield server.url("events_service")


def _request(item: int, events: int) -> Request:
    # `%d` is a random user. The service makes the id of an event that has none.
    event = f'{{"user_id":%d,"item_id":{item},"type":"like"}}'
    return Request("/events", f'{{"events":[{",".join([event] * events)}]}}')


def _load(server: Server, case: Case, item: int, url: str, options: argparse.Namespace) -> Load:
    """One run; `processor_ms` is that of the service for one event."""
    request = _request(item, case.events)
    load.run(server.port, request, USERS, case.connections, WARM_SECONDS)
    store = open_store(StoreAddress(url))
    position, before = store.latest(), server.processor_seconds()
    found = load.run(server.port, request, USERS, case.connections, options.seconds)
    used = server.processor_seconds() - before
    stored = _count_after(url, position)
    store.close()
    if found.errors or stored < found.answered * case.events:
        sys.exit(f"{found.errors} errors; {found.answered * case.events} events answered, and {stored} stored")
    print(f"  {case.events} an event body: {found.rate * case.events:.0f} events/s", flush=True)
    return Load(found.rate * case.events, found.p50, found.p99, found.p999, found.answered, 0, 1000 * used / stored)


def _count_after(url: str, position: int) -> int:
    store, count = open_store(StoreAddress(url)), 0
    while page := store.read_after(position, PAGE):
        count, position = count + len(page), page[-1].position
    store.close()
    return count


def _median(runs: list[Load]) -> Load:
    middle = median(run.rate for run in runs)
    return min(runs, key=lambda run: abs(run.rate - middle))


def _row(store: str, case: Case, run: Load) -> tuple[str, bool]:
    mark = case.marks[store]
    cells = [
        store,
        case.events,
        case.connections,
        f"{run.rate:,.0f}",
        f"≥ {mark:,}",
        f"{run.p50:.0f}",
        f"{run.p99:.0f}",
    ]
    cells.append(f"{1000 * run.processor_ms:.0f}")
    return f"| {' | '.join(map(str, cells))} |", run.rate >= mark


if __name__ == "__main__":
    main()
