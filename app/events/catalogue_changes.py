"""What has become of items since they were in files: the last change of each, in the memory of every process."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from app.contract.events import CHANGE
from app.contract.item_document import ItemDocument
from app.events.store import StoredEvent
from app.model.revision import revised
from app.model.store import ModelStore, ServedModel

RECENT = 10_000  # changes that are kept to be listed

logger = logging.getLogger(__name__)


class Change(NamedTuple):
    """What an item became, at a time in seconds since 1970, and by whom."""

    position: int
    item_id: str
    editor: str
    made_at: float
    document: ItemDocument


class CatalogueChanges:
    """The changes in the order of positions, and the versions that answer with them.

    One thread, the feed, adds; readers in other threads need no lock, for what they read is replaced as a whole.
    """

    def __init__(self) -> None:
        self.stores: list[ModelStore] = []  # whose models are revised at each change
        self.turn = asyncio.Lock()  # of whoever changes an item
        self.recent: deque[Change] = deque(maxlen=RECENT)
        self._items: dict[str, Change] = {}
        self._next = float("inf")  # when an item comes or goes by itself

    def last(self, item_id: str) -> Change | None:
        """The last change of an item."""
        return self._items.get(item_id)

    def revised(self, model: ServedModel) -> ServedModel:
        """A version with the catalogue of now."""
        items = self._items
        return revised(model, {item_id: change.document for item_id, change in items.items()}, time.time())

    def restart(self) -> None:
        """Forget all changes: another store's are to come."""
        self._items, self.recent = {}, deque(maxlen=RECENT)

    def add(self, events: Iterable[StoredEvent]) -> bool:
        """Take in the changes among events, in whatever order; whether there was one."""
        new = [change for event in events if event.type == CHANGE and (change := _read(event))]
        items = dict(self._items) if new else self._items
        for change in new:
            former = items.get(change.item_id)
            if former is None or former.position < change.position:
                items[change.item_id] = change
                self.recent.append(change)
        self._items = items
        return bool(new)

    def revise(self) -> None:
        """Have all versions answer with the catalogue of now."""
        now = time.time()
        documents = [change.document for change in self._items.values()]
        turns = [turn for each in documents for turn in (each.available_from, each.available_until) if turn is not None]
        self._next = min((turn for turn in turns if turn > now), default=float("inf"))
        for store in self.stores:
            store.revise()

    def revise_if_due(self) -> None:
        """Do so if an item has come or gone by itself since."""
        if time.time() >= self._next:
            self.revise()


def _read(event: StoredEvent) -> Change | None:
    try:
        document = ItemDocument.read(event.body or "")
    except ValueError as error:  # a newer release may have written it
        logger.warning("The change at position %d can't be read: %s", event.position, error)
        return None
    return Change(event.position, str(event.item_id), event.user_id, event.received_at, document)
