"""What people say, for tests: short to write."""

from collections.abc import Iterator
from itertools import count
from uuid import uuid4

from app.contract.events import Event
from app.events.rows import StoredEvent

NOW = 1_700_000_000.0


def said(user: int | str, event_type: str, item: int | str | None = None, value: float | None = None) -> Event:
    """An event; a rating has stars, only `forget` has no item."""
    return Event(str(uuid4()), str(user), None if item is None else str(item), event_type, value, NOW)


def stored(*events: Event, first: int = 1) -> Iterator[StoredEvent]:
    """The events as a store gives them, at the positions from `first` on."""
    for position, event in zip(count(first), events, strict=False):
        fields = {name: getattr(event, name) for name in Event.__slots__}
        yield StoredEvent(**fields, position=position, received_at=NOW)
