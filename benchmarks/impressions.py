"""Measures what a shown film costs the service, from `POST /impressions` until it is in PostgreSQL.

    python -m benchmarks.impressions [--films 90000]

Processor time of the service, and of PostgreSQL beside it. In the end all films must be stored.
"""

import tempfile
from pathlib import Path

import psutil

from app.contract.recommendation_id import id_maker
from app.contract.trial import Arm
from benchmarks.options import options
from benchmarks.report import table
from benchmarks.showings import K, settings_of
from benchmarks.timing import processor_seconds
from tests.client import Client
from tests.postgres import Postgres, postgres_of_events
from tests.processes import wait_until
from tests.service import serves, service

LISTS = (1, 100)  # in a body
MICRO = 1e6


def main() -> None:
    """Print microseconds for each size of bodies."""
    films = options(__doc__, films=90_000).films
    with (
        tempfile.TemporaryDirectory() as name,
        postgres_of_events(Path(name) / "postgres") as server,
        service(settings_of(Path(name), server), Path(name) / "log") as (client, running),
    ):
        wait_until(serves(client, "1"))
        process = psutil.Process(running.pid)
        rows = [[str(lists), *_costs(client, server, process, lists, films)] for lists in LISTS]
    print(table(["lists of ten in a body", "µs of the service a film", "µs of PostgreSQL a film"], rows))


def _costs(client: Client, server: Postgres, process: psutil.Process, lists: int, films: int) -> tuple[str, str]:
    """What films cost the service and PostgreSQL, in bodies of so many lists."""
    make, number = id_maker("1", Arm.NONE), films // (lists * K)
    names = [make(b"1").decode() for _ in range(number * lists)]
    shown = [{"recommendation_id": name, "user_id": 1, "item_ids": [*range(1, K + 1)]} for name in names]
    bodies = [{"impressions": shown[start : start + lists]} for start in range(0, len(shown), lists)]
    stored, before = _stored(server), (processor_seconds([process]), processor_seconds(server.processes()))
    for body in bodies:
        assert client.post("/impressions", body).json["dropped"] == 0
    wait_until(lambda: _stored(server) == stored + len(shown) * K, seconds=120)
    after = processor_seconds([process]), processor_seconds(server.processes())
    ours, theirs = (MICRO * (now - then) / films for now, then in zip(after, before, strict=True))
    return f"{ours:.1f}", f"{theirs:.1f}"


def _stored(server: Postgres) -> int:
    [[count]] = server.execute("SELECT count(*) FROM impression", "events")
    assert isinstance(count, int)
    return count


if __name__ == "__main__":
    main()
