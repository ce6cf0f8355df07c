"""Measures a week's report of what pleased: rows that are made up, in a real PostgreSQL.

    python -m benchmarks.pleased [--lists 100000]

Of each day so many lists of ten films were shown to a third as many people, who liked every twentieth film.
"""

import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

import psycopg

from app.contract.events import DEFAULT_TYPES, EventTypes
from app.contract.recommendation_id import id_maker
from app.contract.store_address import StoreAddress
from app.contract.trial import Arm
from benchmarks.options import options
from tests.postgres import Postgres, postgres_of_events
from training.data.events.snapshot import snapshot
from training.pleased.page import lay_out
from training.pleased.report import Report
from training.pleased.shown import read_days
from training.pleased.totals import Known, Totals
from training.report.html import to_html

DAYS, FILMS, ITEMS, VERSIONS = 7, 10, 60_000, ("7", "8")
SHOW = f"""
INSERT INTO impression (day, recommendation_id, item_id, user_id, rank, placement, source)
SELECT day, name, 1 + floor(random() * {ITEMS / FILMS}) * {FILMS} + rank, user_id, rank, 'home', 'personalised'
FROM list, generate_series(1, {FILMS}) AS rank ON CONFLICT DO NOTHING;
INSERT INTO event (event_id, user_id, item_id, type, occurred_at, received_at, recommendation_id)
SELECT gen_random_uuid(), user_id, item_id, 'like', day + time '12:00', day + time '12:00', recommendation_id
FROM impression WHERE random() < 0.05;
ANALYZE
"""  # noqa: S608 - numbers of ours


def main() -> None:
    """Make rows, compute the report, and print how long that took and how much memory it had."""
    lists = options(__doc__, lists=100_000).lists
    with tempfile.TemporaryDirectory() as name, postgres_of_events(Path(name) / "postgres") as server:
        _fill(server, lists)
        before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        report, rows = _report(StoreAddress(server.url("events_training")))
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{rows:,} films of {DAYS} days: {seconds:.0f} s, {processor:.0f} s of processor, {len(report):,} bytes of page"
    )
    print(f"memory at most: {after.ru_maxrss / 2**20:.2f} GiB, {before.ru_maxrss / 2**20:.2f} before")


def _fill(server: Postgres, lists: int) -> None:
    with psycopg.connect(server.url("postgres", "events"), autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE list (day date, name text, user_id text)")
        with connection.cursor().copy("COPY list FROM STDIN") as copy:
            for row in _lists(lists):
                copy.write_row(row)
        connection.execute(SHOW.encode())


def _lists(lists: int) -> Iterator[tuple[str, str, str]]:
    now = datetime.now(timezone.utc)
    for ago in range(DAYS):
        moment = now - timedelta(ago)
        with mock.patch("app.contract.recommendation_id.time.time", moment.timestamp):
            makers = [id_maker(version, Arm.NONE) for version in VERSIONS]
            for number in range(lists):
                user = str(number * (ago + 1) % (lists // 3))
                yield moment.date().isoformat(), makers[number % 2](b"").decode(), user


def _report(address: StoreAddress) -> tuple[str, int]:
    """The page, and of how many films it tells."""
    last = datetime.now(timezone.utc).date()
    first = last - timedelta(DAYS - 1)
    known = Known({}, ITEMS, frozenset(map(str, range(ITEMS // 2))))
    with snapshot(address) as store:
        totals = Totals.over(read_days(store, first, last, ("like",), EventTypes(DEFAULT_TYPES, 4.0)), known)
    report = Report.of(totals, known.n_items, 0.95, first, last)
    return to_html(lay_out(report)), report.figures[0].shown


if __name__ == "__main__":
    main()
