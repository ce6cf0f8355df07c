"""A real event store in which users say things."""

import uuid
from pathlib import Path

from app.contract.events import Event
from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.store import EventStore

NOW = 1_800_000_000.0


class Said:
    """The event store at `url`; training reads it at `training_url`."""

    def __init__(self, url: str, training_url: str | None = None) -> None:
        self.training_url = training_url or url
        self.store: EventStore = open_store(StoreAddress(url))

    @classmethod
    def in_file(cls, file: Path) -> "Said":
        """A store in a SQLite file."""
        return cls(f"sqlite:///{file}")

    def __enter__(self) -> "Said":
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def say(
        self,
        user_id: object,
        item_id: object | None,
        what: str,
        stars: float | None = None,
        received_at: float = NOW,
        occurred_at: float | None = None,
        times: int = 1,
    ) -> int:
        """Append an event, or many of the same kind; returns the last position."""
        occurred = received_at if occurred_at is None else occurred_at
        item = None if item_id is None else str(item_id)
        events = [Event(str(uuid.uuid4()), str(user_id), item, what, stars, occurred) for _ in range(times)]
        return self.store.append(events, received_at).last
