"""Deletes the events of forgotten users, and those that are too old: `python -m deploy.keep_events`.

EVENTS_URL names the store; in PostgreSQL the role `events_keeper` may delete. EVENTS_KEEP_DAYS says after how many days
an event is too old; without it none is. Wishes to be forgotten stay, because each later training needs them; so do
changes of the catalogue, and the last event, by which the store knows its last position. What people were shown is
deleted after IMPRESSIONS_KEEP_DAYS, 90 without it, and what trials have counted after 90. With --daily it goes on,
until an error ends it.
"""

import argparse
import json
import os
import sys
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.store import EventStoreError

DAY = 24 * 3600  # seconds
EXPOSURE_DAYS = 90  # longer than any trial
IMPRESSION_DAYS = 90


def main() -> None:
    """Delete and say how many, once or each day."""
    options, days, shown_days = _options(), _days("EVENTS_KEEP_DAYS"), _days("IMPRESSIONS_KEEP_DAYS") or IMPRESSION_DAYS
    address = _address()
    while True:
        try:
            forgotten, old = keep(address, days, options.learned, shown_days)
        except EventStoreError as error:
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


def _address() -> StoreAddress:
    try:
        address = StoreAddress.of(os.environ.get("EVENTS_URL", ""))
    except ValueError as error:
        sys.exit(f"EVENTS_URL: {error}.")
    return address or sys.exit("EVENTS_URL is off: name the store to delete from.")


def _days(variable: str) -> int | None:
    days = os.environ.get(variable) or None
    if days is not None and not (days.isdecimal() and int(days) > 0):
        sys.exit(f"{variable} must be a whole number of days, 1 or more, not {days!r}.")
    return None if days is None else int(days)


def keep(
    address: StoreAddress, days: int | None, learned: Path | None = None, shown_days: int = IMPRESSION_DAYS
) -> tuple[int, int]:
    """Delete; returns how many events of forgotten users and how many old ones. Raises EventStoreError."""
    with closing(open_store(address)) as store:
        until = store.latest() if learned is None else _learned_until(learned, store.id)
        forgotten = store.delete_forgotten()
        store.delete_exposures(_before(EXPOSURE_DAYS))
        store.delete_impressions(_before(shown_days))
        return forgotten, 0 if days is None else store.delete_events(time.time() - days * DAY, until)


def _before(days: int) -> str:
    return (date.today() - timedelta(days)).isoformat()


def _learned_until(file: Path, store_id: str) -> int:
    """The last position that training has read; 0 if it has read none of this store."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:  # training has not run yet, or writes it anew
        return 0
    return int(known["until"]) if known.get("store") == store_id else 0


if __name__ == "__main__":
    main()
