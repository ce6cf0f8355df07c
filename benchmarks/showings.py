"""Viewers look at lists of a real service over a real PostgreSQL, which is killed meanwhile; then the service is, too.

usage: python -m benchmarks.showings [--seconds 120] [--per-second 120]

Each viewer has known taste, looks at a list from the top, gives up somewhere, and keeps books. A third of the way
PostgreSQL is killed with all its processes and started again. The service then ends as usual, and what `python -m
training pleased` counts must be what is in the books. In the end a service is killed under the same load: it may lose
what was shown in the last ten seconds, and no success. Exits with 1 if anything else is lost.
"""

import http.client
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil

from app.contract.events import DEFAULT_TYPES, EventTypes
from app.contract.store_address import StoreAddress
from app.events.flushed import FLUSH_SECONDS
from app.settings import Settings
from benchmarks.environments import CACHE
from benchmarks.options import options
from benchmarks.timing import processor_seconds
from tests.app.conftest import offline_settings
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache
from tests.postgres import Postgres, postgres_of_events
from tests.processes import wait_until
from tests.service import serves, service
from training.data.events.snapshot import snapshot
from training.pleased.figures import figures
from training.pleased.shown import RANK, read_shown
from training.pleased.totals import Known, Totals

VIEWERS, N_ITEMS, K = 4, 1000, 10
EXAMINED, LISTS_OF_ONE = 0.85, 8
LATE_SECONDS = 2.0  # that a flush may take
SEEN = (1 - EXAMINED**K) / (1 - EXAMINED)  # films of a list on a screen, on average


class Viewer(threading.Thread):
    """One after the other people look at lists; their books say what was answered with 200 or 202."""

    def __init__(self, client: Client, number: int, pause: float) -> None:
        super().__init__(daemon=True)
        self._client, self._number, self._pause = client, number, pause
        self._rng, self.stopping = np.random.default_rng(number), threading.Event()
        self.shown: list[tuple[float, int]] = []  # when, and at which rank
        self.liked: Counter[int] = Counter()
        self.failed = 0

    def run(self) -> None:
        """Look at lists at an even pace until it is stopped."""
        due, looked = time.monotonic(), 0
        while not self.stopping.wait(max(0.0, due - time.monotonic())):
            due += self._pause
            user = looked // LISTS_OF_ONE * 2 * VIEWERS + self._number
            try:
                self._look(user)
            except (OSError, http.client.HTTPException):
                self.failed += 1
            looked += 1

    def _look(self, user: int) -> None:
        listed = self._client.get(f"/users/{user}/recommendations?k={K}")
        if listed.status != 200:
            self.failed += 1
            return
        name, items = listed.json["recommendation_id"], [each["id"] for each in listed.json["items"]]
        items = items[: int(self._rng.geometric(1 - EXAMINED))]
        sent = {"impressions": [{"recommendation_id": name, "user_id": user, "item_ids": items}]}
        if self._client.post("/impressions", sent).status != 202:
            self.failed += 1
            return
        self.shown += [(time.monotonic(), rank) for rank in range(1, len(items) + 1)]
        for rank, item in enumerate(items, start=1):
            if self._rng.random() < 0.05 + 0.3 * ((user + item) % 4 == 0):
                self._like(user, item, name)
                self.liked[rank] += 1

    def _like(self, user: int, item: int, name: str) -> None:
        """Say it until it is answered with 200."""
        event = {"event_id": str(uuid4()), "user_id": user, "item_id": item, "type": "like", "recommendation_id": name}
        while self._client.post("/events", {"events": [event]}).status != 200:
            time.sleep(0.1)


@contextmanager
def viewing(client: Client, per_second: float, first: int = 0) -> Iterator[list[Viewer]]:
    """Inside, viewers look at lists; they have ended after it."""
    patient, pause = replace(client, timeout=30), VIEWERS * SEEN / per_second
    viewers = [Viewer(patient, first + number, pause) for number in range(VIEWERS)]
    for each in viewers:
        each.start()
    yield viewers
    for each in viewers:
        each.stopping.set()
    for each in viewers:
        each.join()


def main() -> None:
    """Run all, print what was seen, and exit with 1 if something is lost."""
    given = options(__doc__, seconds=120.0, per_second=120.0)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, postgres_of_events(Path(name) / "postgres") as server:
        sys.exit(not run(Path(name), server, given.seconds, given.per_second))


def run(folder: Path, server: Postgres, seconds: float, per_second: float) -> bool:
    """Whether nothing was lost but what may be."""
    settings = settings_of(folder, server)
    with service(settings, folder / "log") as (client, running):
        wait_until(serves(client, "1"))
        process = psutil.Process(running.pid)
        with viewing(client, per_second) as viewers:
            time.sleep(seconds / 3)
            down = kill(server)
            time.sleep(2 * seconds / 3)
            cost = processor_seconds([process, *process.children(recursive=True)])
    shown = [each for viewer in viewers for each in viewer.shown]
    books = Counter(rank for _, rank in shown), sum((viewer.liked for viewer in viewers), Counter[int]())
    is_equal = books == stored(server)
    failed = sum(each.failed for each in viewers)
    print(f"{len(shown):,} showings and {books[1].total():,} successes in {seconds:.0f} s; {cost:.0f} s of processor")
    print(f"PostgreSQL was down for {down:.1f} s; {failed} requests failed; figures equal the books: {is_equal}")
    return is_equal & killed(settings, server, folder / "log", books, per_second)


def killed(
    settings: Settings, server: Postgres, log: Path, books: tuple[Counter[int], Counter[int]], per_second: float
) -> bool:
    """Kill a service under load; whether it lost no success, and no showing but of the last seconds."""
    with service(settings, log) as (client, running):
        wait_until(serves(client, "1"))
        with viewing(client, per_second, VIEWERS) as viewers:
            time.sleep(2.5 * FLUSH_SECONDS)
        os.killpg(running.pid, signal.SIGKILL)
        now = time.monotonic()
    shown = [each for viewer in viewers for each in viewer.shown]
    kept, _ = stored(server)
    lost = len(shown) - (kept - books[0]).total()
    late = sum(1 for when, _ in shown if when > now - FLUSH_SECONDS - LATE_SECONDS)
    successes = sum((viewer.liked for viewer in viewers), Counter[int]())
    # The success of a showing that is lost is stored, and counts in no figure.
    said = server.execute("SELECT count(*) FROM event WHERE type = 'like'", "events")[0][0]
    is_said = said == (books[1] + successes).total()
    print(f"killed service: {lost:,} of {len(shown):,} showings lost; {late:,} were of the last ten seconds")
    print(f"all successes that were answered are stored: {is_said}")
    return lost <= late and is_said


def settings_of(folder: Path, server: Postgres) -> Settings:
    """A service with a small model and PostgreSQL."""
    settings = offline_settings(folder)
    put_in_cache(settings, write(folder / "served", make_artifact(item_ids=range(1, N_ITEMS + 1))))
    return Settings.model_validate(
        {**settings.model_dump(), "events_url": server.url("events_service"), "log_level": "WARNING"}
    )


def kill(server: Postgres) -> float:
    """Kill PostgreSQL with all its processes and start it again; for how many seconds it was down."""
    began, processes = time.monotonic(), server.processes()
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: not any(each.is_running() for each in processes))
    server.start()
    return time.monotonic() - began


def stored(server: Postgres) -> tuple[Counter[int], Counter[int]]:
    """Showings and successes by rank, as the figures count them."""
    today = datetime.now(timezone.utc).date()
    with snapshot(StoreAddress(server.url("events_training"))) as store:
        shown = read_shown(store, today - timedelta(days=1), today, ("like",), EventTypes(DEFAULT_TYPES, 4.0))
    assert not any(shown.left_out.values()), shown.left_out
    found = figures(Totals.over([shown], Known({}, N_ITEMS, frozenset()), (RANK,)), 0.95)
    by_rank = {int(each.group): each for each in found}
    shown_by = Counter({rank: each.shown for rank, each in by_rank.items()})
    return +shown_by, +Counter({rank: each.successes for rank, each in by_rank.items()})


if __name__ == "__main__":
    main()
