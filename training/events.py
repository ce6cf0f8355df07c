"""The `events` stage: copies what users have said to the service from the event store to data/events.

It always runs. While nobody says anything it writes the same bytes, so that no later stage runs.
"""

from pathlib import Path

from training.data.changes import write_changes
from training.data.events.files import WriteFiles, write_events, write_learned
from training.data.events.snapshot import VARIABLE, snapshot, store_address
from training.files import replacing
from training.params.fetch import FetchParams


def events(params: FetchParams, destination: Path, home: Path, write: WriteFiles = write_events) -> str:
    """Fill `destination` from the store at EVENTS_URL, or with nothing; return what was done in a sentence.

    `home` is the project's folder. `write` writes the files of a store that has events.
    Raises DataError where the store can't be read; `destination` is then as it was.
    """
    with replacing(destination) as folder:
        folder.mkdir()
        write_learned(None, folder)
        if not params.events:
            return "none, as fetch.events is false"
        address = store_address(home)
        if address is None:
            return f"none, as {VARIABLE} is off"
        if missing := address.missing_file:
            return f"none yet, as {missing} doesn't exist: the service makes it at its start; {VARIABLE} names another"
        with snapshot(address) as store:
            if not store.until:
                return f"none yet in store {store.store}"
            count = write(store, folder)
            write_changes(store, folder)
        write_learned(store, folder)
    return f"{count:,} until number {store.until:,} of store {store.store}"
