"""What people have said lately, in memory: a few bytes for each event, and one look-up for each request."""

import logging
import math
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from app.contract.artifact import LearnedEvents
from app.contract.events import EDITS, FORGET
from app.events.packed_events import PACKED, PACKED_ARRAY, FreshEvent, Packing
from app.events.rows import StoredEvent

TIDIED = 64 * PACKED.size
PER_USER = 100  # bytes beside those of the events and the id: its place in the dictionary, the head of the events
MOST_BYTES = 256 * 2**20

logger = logging.getLogger(__name__)


class LastHeard(NamedTuple):
    """The last event of the store that was heard of: its position, and when it was received."""

    position: int
    received_at: float


class Listener(Protocol):
    """Is told, with the overlay's lock held, what becomes of the events."""

    def hear(self, before: Sequence[bytes], after: Sequence[bytes]) -> None:
        """Take note of what some users had said before, and what they have said now."""

    def let_go(self, until: float) -> None:
        """Take note that the events up to a position are dropped."""


class Overlay:
    """The events of each user, in packed form; it may hold older ones than a model needs, but misses no newer one.

    One thread adds and drops. Readers in other threads need no lock: a user's bytes are replaced as a whole. In what
    order events are added, and how often, makes no difference, as long as they fit: a full overlay takes no more events
    but wishes to be forgotten, until models have learned from what it holds.
    """

    def __init__(self) -> None:
        self.store_id: str | None = None  # whose events these are
        self.listeners: list[Listener] = []
        self.lock = threading.Lock()  # held while events are added and listeners told
        self.users: dict[str, bytes] = {}
        self.last = LastHeard(0, 0.0)
        self._size, self._left_out = 0, 0  # bytes; events since it is full
        self.packing = Packing()

    def add(self, events: Iterable[StoredEvent]) -> None:
        """Add events, except those that no longer fit."""
        added: dict[str, list[bytes]] = {}
        forgotten = set[str]()
        is_full = self._size >= MOST_BYTES
        for event in events:
            self.last = max(self.last, LastHeard(event.position, event.received_at))
            if event.type in EDITS:
                continue
            if is_full and event.type != FORGET:
                self._leave_out()
                continue
            added.setdefault(event.user_id, []).append(self.packing.packed(event))
            if event.type == FORGET:
                forgotten.add(event.user_id)
        with self.lock:
            before = [self.users.get(user_id, b"") for user_id in added]
            for (user_id, parts), held in zip(added.items(), before, strict=True):
                after = b"".join([held, *parts])
                # Now and then is enough: it takes longer than to add, and most users have few events.
                is_due = user_id in forgotten or len(held) // TIDIED != len(after) // TIDIED
                self._put(user_id, self.packing.tidied(after) if is_due else after)
            for each in self.listeners if added else ():
                each.hear(before, [self.users[user_id] for user_id in added])

    def who_said(self, item_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Users and items of those among whose events one is about such an item."""
        numbers = [number for item_id in item_ids if (number := self.packing.item_number(item_id)) is not None]
        users = list(self.users.items())
        if not numbers or not users:
            return []
        items = np.frombuffer(b"".join(packed for _, packed in users), dtype=PACKED_ARRAY)["item"]
        ends = np.cumsum([len(packed) // PACKED.size for _, packed in users])
        found = np.flatnonzero(np.isin(items, numbers))
        places = np.searchsorted(ends, found, side="right").tolist()
        pairs = zip(places, items[found].tolist(), strict=True)
        return [(users[place][0], self.packing.item_ids[item]) for place, item in dict.fromkeys(pairs)]

    def last_event(self, user_id: str, item_id: str) -> FreshEvent | None:
        """The last event of a user about an item; None without one, and for a user who wants to be forgotten."""
        events = self.packing.unpacked(self.users.get(user_id, b""))
        if any(each.type == FORGET for each in events):
            return None
        number = self.packing.item_number(item_id)
        return next((each for each in reversed(events) if each.item == number), None)

    def drop_until(self, position: int) -> None:
        """Drop events up to a position, which every model in use has learned from."""
        with self.lock:
            for user_id, packed in list(self.users.items()):
                kept = [event for event in PACKED.iter_unpack(packed) if event[0] > position]
                if not kept:
                    del self.users[user_id]
                    self._size -= len(packed) + _size_of(user_id)
                elif len(kept) * PACKED.size < len(packed):
                    self._put(user_id, b"".join(PACKED.pack(*event) for event in kept))
            self._tell_dropped(position)
        self._has_room()

    def restart(self, store_id: str) -> None:
        """Drop all events, and begin with those of a store."""
        with self.lock:
            self.users.clear()
            self._size, self.store_id, self.last = 0, store_id, LastHeard(0, 0.0)
            self._tell_dropped(math.inf)
        self._has_room()

    def _tell_dropped(self, until: float) -> None:
        for each in self.listeners:
            each.let_go(until)

    def _put(self, user_id: str, packed: bytes) -> None:
        before = self.users.get(user_id)
        self._size += len(packed) - (-_size_of(user_id) if before is None else len(before))
        self.users[user_id] = packed

    def _leave_out(self) -> None:
        if not self._left_out:
            logger.warning("The overlay is full: answers leave out newer events until a version has learned from them")
        self._left_out += 1

    def _has_room(self) -> None:
        if self._left_out and self._size < MOST_BYTES:
            logger.warning("The overlay has room again: answers know nothing of %d events before", self._left_out)
            self._left_out = 0


def _size_of(user_id: str) -> int:
    return PER_USER + sys.getsizeof(user_id)


def learned_until(learned: LearnedEvents | None, store_id: str | None) -> int:
    """The position up to which a model has learned from the events of a store; 0 if it knows another store or none."""
    return learned.until if learned is not None and learned.store == store_id else 0
