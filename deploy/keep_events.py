"""Deletes the events of forgotten users, and those that are too old: `python -m deploy.keep_events`.

EVENTS_URL names the store; in PostgreSQL the role `events_keeper` may delete. EVENTS_KEEP_DAYS says after how many days
an event is too old; without it none is. Wishes to be forgotten stay, because each later training needs them; so does
the last event, by which the store knows its last position. What trials have counted is deleted after 90 days. With
--daily it goes on, until an error ends it.
"""

import argparse
import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import psycopg

from app.events.store import SQLITE, EventStoreError, open_store

DAY = 24 * 3600  # seconds
WAIT_SECONDS = 10
FORGOTTEN = """
DELETE FROM event AS said WHERE type <> 'forget' AND user_id IN (SELECT user_id FROM event WHERE type = 'forget')
  AND position < (SELECT max(position) FROM event AS wish WHERE wish.user_id = said.user_id AND wish.type = 'forget')
"""
OLD = """
DELETE FROM event WHERE type <> 'forget' AND received_at < {before} AND position <= {until}
  AND position < (SELECT max(position) FROM event)
"""
# Longer than any trial; the sums of a forgotten user go as well.
EXPOSURE_DAYS = 90
EXPOSURES = """
DELETE FROM exposure WHERE day < '{day}' OR user_id IN (SELECT user_id FROM event WHERE type = 'forget')
"""


def main() -> None:
    """Delete and say how many, once or each day."""
    options, url, days = _options(), os.environ.get("EVENTS_URL", ""), _days()
    while True:
        try:
            forgotten, old = keep(url, days, options.learned)
        except ValueError as error:
            sys.exit(f"EVENTS_URL: {error}.")
        except (EventStoreError, sqlite3.Error, psycopg.Error) as error:
            sys.exit(f"Nothing more was deleted: {error}")
        sys.stdout.write(f"Deleted {forgotten} events of forgotten users and {old} old events.\n")
        if not options.daily:
            return
        time.sleep(DAY)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daily", action="store_true", help="go on, once a day; an error ends it")
    parser.add_argument(
        "--learned", type=Path, metavar="FILE", help="training's data/events/until.json: keep what came after it"
    )
    return parser.parse_args()


def _days() -> int | None:
    days = os.environ.get("EVENTS_KEEP_DAYS") or None
    if days is not None and not (days.isdecimal() and int(days) > 0):
        sys.exit(f"EVENTS_KEEP_DAYS must be a whole number of days, 1 or more, not {days!r}.")
    return None if days is None else int(days)


def keep(url: str, days: int | None, learned: Path | None = None) -> tuple[int, int]:
    """Delete; returns how many events of forgotten users and how many old ones.

    Raises ValueError for an address that is none, and the errors of the store and its database.
    """
    with closing(open_store(url)) as store:
        last = store.latest()  # of a file, this makes the tables first
        until = last if learned is None else _learned_until(learned, store.id)
    forgotten = _delete(url, FORGOTTEN)
    _delete(url, EXPOSURES.format(day=date.today() - timedelta(EXPOSURE_DAYS)))
    return forgotten, 0 if days is None else _delete(url, OLD, time.time() - days * DAY, until)


def _learned_until(file: Path, store_id: str) -> int:
    """The last position that training has read; 0 if it has read none of this store."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:  # training has not run yet, or writes it anew
        return 0
    return int(known["until"]) if known.get("store") == store_id else 0


def _delete(url: str, statement: str, before: float = 0, until: int = 0) -> int:
    if url.startswith(SQLITE):
        with closing(sqlite3.connect(url.removeprefix(SQLITE), timeout=WAIT_SECONDS)) as file, file:
            file.execute("PRAGMA secure_delete = ON")  # else the bytes stay in the file until others take their place
            return file.execute(statement.format(before=before, until=until)).rowcount
    with psycopg.connect(url, connect_timeout=WAIT_SECONDS) as connection:
        filled = statement.format(before=f"to_timestamp({before})", until=until)
        return connection.execute(filled.encode()).rowcount


if __name__ == "__main__":
    main()
