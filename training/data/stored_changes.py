"""Changes of the catalogue as the store of the service has them now."""

from pathlib import Path

from training.data.changes import Documents, documents_of
from training.data.events.snapshot import snapshot, store_address


def stored_changes(home: Path) -> Documents:
    """What items have become by the store at EVENTS_URL, by id; none without a store, or before it has a file.

    Raises DataError where it can't be read.
    """
    address = store_address(home)
    if address is None or address.missing_file:
        return {}
    with snapshot(address) as store:
        return documents_of((item_id, body) for _, item_id, body in store.changes())
