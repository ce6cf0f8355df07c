"""Opens a store of events, whichever database holds it."""

from app.contract.store_address import StoreAddress
from app.events.store import EventStore


def open_store(address: StoreAddress) -> EventStore:
    """A store that is not connected yet."""
    if address.file is not None:
        from app.events.sqlite_store import SqliteStore

        return SqliteStore(address.file)
    from app.events.postgres_store import PostgresStore

    return PostgresStore(address.url)
