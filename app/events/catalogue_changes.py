"""What has become of items since they were in files: the last change of each, in the memory of every process."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from app.contract.events import CHANGE, EDITS, FORGET
from app.contract.item_document import ItemDocument
from app.events.rows import StoredEvent
from app.model.store import ModelStore

RECENT, RECENT_BYTES = 10_000, 16 * 2**20  # changes that are kept to be listed, and the texts of their items
LIKES_SECONDS = 0.3  # until likes of new items count: those of this time count together

Listen = Callable[[str, str | None], None]

logger = logging.getLogger(__name__)


class Change(NamedTuple):
    """What an item became, at a time in seconds since 1970, and by whom."""

    position: int
    item_id: str
    editor: str
    made_at: float
    document: ItemDocument
    before: ItemDocument | None  # by the change before this one
    size: int  # of the document's text


class CatalogueChanges:
    """The changes in the order of positions, and when versions must be told of them.

    One thread, the feed, adds; readers in other threads need no lock, for what they read is replaced as a whole.
    """

    def __init__(self) -> None:
        self.stores: list[ModelStore] = []  # whose models are revised
        self.listeners: list[Listen] = []  # who are told what users say about items that have changed
        self.turn = asyncio.Lock()  # of whoever changes an item
        self.recent, self._recent_bytes = deque[Change](), 0
        self.items: dict[str, Change] = {}  # the last change of each item
        self._position = 0  # of the last change, before which none is missing
        self._next = float("inf")  # when an item comes or goes by itself, or likes are to count

    def restart(self) -> None:
        """Forget all changes: another store's are to come."""
        self.items, self._position = {}, 0
        self.recent, self._recent_bytes = deque(), 0

    def add(self, events: Iterable[StoredEvent]) -> bool:
        """Take in the changes among events, in the order of positions; whether one is new. Events may come again."""
        events = list(events)
        changes = [event for event in events if event.type == CHANGE and event.position > self._position]
        if changes:
            self._take(changes)
            self._next = 0.0  # until versions have been told
            self._position = changes[-1].position
        self._tell(events)
        return bool(changes)

    def _take(self, changes: Iterable[StoredEvent]) -> None:
        items = dict(self.items)
        for event in changes:
            item_id, document = str(event.item_id), _document(event)
            if document is not None:
                before = items[item_id].document if item_id in items else None
                size = len(event.body or "")
                items[item_id] = Change(
                    event.position, item_id, event.user_id, event.received_at, document, before, size
                )
                self._keep(items[item_id])
        self.items = items

    def _keep(self, change: Change) -> None:
        self.recent.append(change)
        self._recent_bytes += change.size
        while len(self.recent) > RECENT or self._recent_bytes > RECENT_BYTES:
            self._recent_bytes -= self.recent.popleft().size

    def _tell(self, events: Iterable[StoredEvent]) -> None:
        said = [event for event in events if event.type == FORGET or event.item_id in self.items]
        said = [event for event in said if event.type not in EDITS]
        for event in said:
            for listen in self.listeners:
                listen(event.user_id, event.item_id)
        if said:
            self._next = min(self._next, time.time() + LIKES_SECONDS)

    def revise(self) -> None:
        """Have all versions answer with the current catalogue."""
        now = time.time()
        documents = [change.document for change in self.items.values()]
        turns = [turn for each in documents for turn in (each.available_from, each.available_until) if turn is not None]
        for store in self.stores:
            store.revise()
        self._next = min((turn for turn in turns if turn > now), default=float("inf"))

    def revise_if_due(self) -> None:
        """Do so if an item has come or gone by itself since, or people have said something of a new one."""
        if time.time() >= self._next:
            self.revise()


def _document(event: StoredEvent) -> ItemDocument | None:
    try:
        return ItemDocument.read(event.body or "", event.position)
    except ValueError as error:  # a newer release may have written it
        logger.warning("The change at position %d can't be read: %s", event.position, error)
        return None
