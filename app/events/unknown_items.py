"""Room for events about items that nobody knows yet: they are kept, for the item may come, and bounded."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice

from app.contract.events import EDITS
from app.events.rows import StoredEvent

PER_ITEM = 200  # events of one such item
ITEMS = 500  # such items


class UnknownItems:
    """Counts events by item as they are read, whoever took them in. The feed adds; the event loop asks."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._looked_at, self._unknown = 0, set[str]()

    def add(self, events: Iterable[StoredEvent]) -> None:
        """Take note of events."""
        for event in events:
            if event.item_id is not None and event.type not in EDITS:
                self._counts[event.item_id] += 1

    def restart(self) -> None:
        """Start again, with another store."""
        self._counts, self._looked_at, self._unknown = Counter(), 0, set()

    def take(self, item_id: str, is_known: Callable[[str], bool]) -> bool:
        """Whether one more event about an item that isn't known may be kept."""
        if count := self._counts[item_id]:
            return count < PER_ITEM
        new = list(islice(self._counts, self._looked_at, None))
        self._looked_at += len(new)
        self._unknown = {each for each in self._unknown.union(new) if not is_known(each)}
        return len(self._unknown) < ITEMS
