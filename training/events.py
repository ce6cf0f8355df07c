"""The `events` stage: copies what users have said to the service from the event store to data/events.

It always runs. While nobody says anything it writes the same bytes, so that no later stage runs.
"""

import os
from pathlib import Path

from training.data.events.files import WriteFiles, write_events, write_learned
from training.data.events.snapshot import address_of, missing_file, snapshot
from training.files import replacing
from training.params.fetch import FetchParams

VARIABLE = "EVENTS_URL"


def events(params: FetchParams, destination: Path, home: Path, write: WriteFiles = write_events) -> str:
    """Fill `destination` from the store at EVENTS_URL, or with nothing; return what was done in a sentence.

    A relative path of a SQLite file begins at `home`; DVC_ROOT, the folder of an experiment's project, goes before.
    `write` writes the files of a store that has events.
    Raises DataError where the store can't be read; `destination` is then as it was.
    """
    url = os.environ.get(VARIABLE)
    with replacing(destination) as folder:
        folder.mkdir()
        write_learned(None, folder)
        if not params.events:
            return "none, as fetch.events is false"
        if not url:
            return f"none, as {VARIABLE} is not set: it names the event store"
        address = address_of(url, Path(os.environ.get("DVC_ROOT", home)))
        if missing := missing_file(address):
            return f"none yet, as {missing} doesn't exist: the service makes it when it takes the first event"
        with snapshot(address) as store:
            if not store.until:
                return f"none yet in store {store.store}"
            count = write(store, folder)
        write_learned(store, folder)
    return f"{count:,} until number {store.until:,} of store {store.store}"
