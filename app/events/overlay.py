"""What people have said lately, in memory: a few bytes for each event, and one look-up for each request."""

import logging
from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

from app.contract.events import FORGET, RULES
from app.events.store import StoredEvent

TYPES = (*RULES, "of another release")
NUMBERS = {event_type: number for number, event_type in enumerate(TYPES)}
PACKED = Struct("<qiBd")  # position, item number, type number, stars
NO_ITEM = -1
NO_STARS = 0.0
TIDIED = 64 * PACKED.size
PER_USER = 150  # bytes beside those of the events: the id, its place in the dictionary, the heads of both objects
MOST_BYTES = 256 * 2**20

logger = logging.getLogger(__name__)


class Said(NamedTuple):
    """One event of a user; `item` is a place in `Overlay.item_ids`, or NO_ITEM for the wish to be forgotten."""

    position: int
    item: int
    type: str
    stars: float | None


class Overlay:
    """The events of each user, in packed form; it may hold older ones than a model needs, but misses no newer one.

    One thread adds and drops. Readers in other threads need no lock: a user's bytes are replaced as a whole. In what
    order events are added, and how often, makes no difference, as long as they fit: a full overlay takes no more events
    but wishes to be forgotten, until models have learned from what it holds.
    """

    def __init__(self) -> None:
        self.store_id: str | None = None  # whose events these are
        self.users: dict[str, bytes] = {}
        self._size, self._left_out = 0, 0  # bytes; events since it is full
        self.item_ids: list[str] = []
        self._numbers: dict[str, int] = {}

    def add(self, events: Iterable[StoredEvent]) -> None:
        """Add events, but for those that no longer fit."""
        added: dict[str, list[bytes]] = {}
        forgotten = set[str]()
        is_full = self._size >= MOST_BYTES
        for event in events:
            if is_full and event.type != FORGET:
                self._leave_out()
                continue
            item = NO_ITEM if event.item_id is None else self._number(event.item_id)
            packed = PACKED.pack(event.position, item, NUMBERS.get(event.type, len(RULES)), event.stars or NO_STARS)
            added.setdefault(event.user_id, []).append(packed)
            if event.type == FORGET:
                forgotten.add(event.user_id)
        for user_id, parts in added.items():
            before = self.users.get(user_id, b"")
            after = b"".join([before, *parts])
            # Now and then is enough: it takes longer than to add, and most users have few events.
            is_due = user_id in forgotten or len(before) // TIDIED != len(after) // TIDIED
            self._put(user_id, _tidied(after) if is_due else after)

    def drop_until(self, position: int) -> None:
        """Drop events up to a position, which every model in use has learned from."""
        for user_id, packed in list(self.users.items()):
            kept = [said for said in unpacked(packed) if said.position > position]
            if not kept:
                del self.users[user_id]
                self._size -= len(packed) + PER_USER
            elif len(kept) * PACKED.size < len(packed):
                self._put(user_id, _packed(kept))
        self._has_room()

    def restart(self, store_id: str) -> None:
        """Drop all events, and begin with those of a store."""
        self.users.clear()
        self._size, self.store_id = 0, store_id
        self._has_room()

    def _put(self, user_id: str, packed: bytes) -> None:
        before = self.users.get(user_id)
        self._size += len(packed) - (-PER_USER if before is None else len(before))
        self.users[user_id] = packed

    def _leave_out(self) -> None:
        if not self._left_out:
            logger.warning("The overlay is full: answers leave out newer events until a version has learned from them")
        self._left_out += 1

    def _has_room(self) -> None:
        if self._left_out and self._size < MOST_BYTES:
            logger.warning("The overlay has room again: answers know nothing of %d events before", self._left_out)
            self._left_out = 0

    def _number(self, item_id: str) -> int:
        number = self._numbers.get(item_id)
        if number is None:
            number = self._numbers[item_id] = len(self.item_ids)
            self.item_ids.append(item_id)
        return number


def unpacked(packed: bytes) -> list[Said]:
    """The events of a user, oldest first."""
    found = sorted(PACKED.iter_unpack(packed))
    return [Said(position, item, TYPES[number], stars or None) for position, item, number, stars in found]


def _packed(said: Iterable[Said]) -> bytes:
    return b"".join(PACKED.pack(one.position, one.item, NUMBERS[one.type], one.stars or NO_STARS) for one in said)


def _tidied(packed: bytes) -> bytes:
    """Keep what counts: of the events after the last wish to be forgotten, that included, the last about each item."""
    last: dict[int, Said] = {}
    for said in unpacked(packed):
        if said.type == FORGET:
            last.clear()
        last[said.item] = said
    return _packed(last.values())
