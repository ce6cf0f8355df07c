"""What people have said lately, in memory: a few bytes for each event, and one look-up for each request."""

import logging
import math
import sys
import threading
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from app.contract.events import EDITS, FORGET
from app.events.rows import StoredEvent

PACKED = Struct("<qiHdd")  # position, item number, type number, value, time in seconds since 1970
PACKED_ARRAY = np.dtype([("position", "<i8"), ("item", "<i4"), ("type", "<u2"), ("value", "<f8"), ("time", "<f8")])
LAST_TYPE = 2**16 - 1
NO_ITEM = -1
NO_VALUE = math.nan
TIDIED = 64 * PACKED.size
PER_USER = 100  # bytes beside those of the events and the id: its place in the dictionary, the head of the events
MOST_BYTES = 256 * 2**20

Packed = npt.NDArray[np.void]  # of PACKED_ARRAY

logger = logging.getLogger(__name__)


class FreshEvent(NamedTuple):
    """One event of a user; `item` is a place in `Overlay.item_ids`, or NO_ITEM for the wish to be forgotten."""

    position: int
    item: int
    type: str
    value: float | None


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
        self.item_ids: list[str] = []
        self._types = [FORGET]
        self._item_numbers: dict[str, int] = {}
        self._type_numbers = {FORGET: 0}

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
            added.setdefault(event.user_id, []).append(self._packed_event(event))
            if event.type == FORGET:
                forgotten.add(event.user_id)
        with self.lock:
            before = [self.users.get(user_id, b"") for user_id in added]
            for (user_id, parts), held in zip(added.items(), before, strict=True):
                after = b"".join([held, *parts])
                # Now and then is enough: it takes longer than to add, and most users have few events.
                is_due = user_id in forgotten or len(held) // TIDIED != len(after) // TIDIED
                self._put(user_id, self._tidied(after) if is_due else after)
            for each in self.listeners if added else ():
                each.hear(before, [self.users[user_id] for user_id in added])

    def last_of_all(self, users: Sequence[bytes], after: int) -> Packed:
        """The last event of each of these users about each item, after a position and the wish to be forgotten."""
        events: Packed = np.frombuffer(b"".join(users), dtype=PACKED_ARRAY)
        user = np.repeat(np.arange(len(users)), [len(packed) // PACKED.size for packed in users])
        since = np.full(len(users), after)
        is_wish = events["type"] == 0
        np.maximum.at(since, user[is_wish], events["position"][is_wish])
        kept = events["position"] > since[user]
        events, user = events[kept], user[kept]
        order = np.lexsort((events["position"], events["item"], user))
        events, user = events[order], user[order]
        has_later = (events["item"][1:] == events["item"][:-1]) & (user[1:] == user[:-1])
        last: Packed = events[~np.append(has_later, np.zeros(min(len(events), 1), dtype=bool))]
        return last

    def type_name(self, number: int) -> str:
        """The type that a number of `last_of_all` stands for."""
        return self._types[number]

    def who_said(self, item_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Users and items of those among whose events one is about such an item."""
        numbers = [number for item_id in item_ids if (number := self._item_numbers.get(item_id)) is not None]
        users = list(self.users.items())
        if not numbers or not users:
            return []
        items = np.frombuffer(b"".join(packed for _, packed in users), dtype=PACKED_ARRAY)["item"]
        ends = np.cumsum([len(packed) // PACKED.size for _, packed in users])
        found = np.flatnonzero(np.isin(items, numbers))
        places = np.searchsorted(ends, found, side="right").tolist()
        pairs = zip(places, items[found].tolist(), strict=True)
        return [(users[place][0], self.item_ids[item]) for place, item in dict.fromkeys(pairs)]

    def last_event(self, user_id: str, item_id: str) -> FreshEvent | None:
        """The last event of a user about an item; None without one, and for a user who wants to be forgotten."""
        events = self.unpacked(self.users.get(user_id, b""))
        if any(each.type == FORGET for each in events):
            return None
        number = self._item_numbers.get(item_id)
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

    def unpacked(self, packed: bytes) -> list[FreshEvent]:
        """The events of a user, oldest first."""
        found = sorted(PACKED.iter_unpack(packed))
        return [
            FreshEvent(position, item, self._types[kind], None if math.isnan(value) else value)
            for position, item, kind, value, _ in found
        ]

    def _packed_event(self, event: StoredEvent) -> bytes:
        item = NO_ITEM if event.item_id is None else _number(event.item_id, self.item_ids, self._item_numbers)
        kind = min(_number(event.type, self._types, self._type_numbers), LAST_TYPE)
        value = NO_VALUE if event.value is None else event.value
        return PACKED.pack(event.position, item, kind, value, event.occurred_at)

    def _tidied(self, packed: bytes) -> bytes:
        """Keep what counts: the last wish to be forgotten, and of the events after it the last about each item."""
        last: dict[int, tuple[int, int, int, float, float]] = {}
        for event in sorted(PACKED.iter_unpack(packed)):
            if self._types[event[2]] == FORGET:
                last.clear()
            last[event[1]] = event
        return b"".join(PACKED.pack(*event) for event in last.values())


def _size_of(user_id: str) -> int:
    return PER_USER + sys.getsizeof(user_id)


def _number(text: str, known: list[str], numbers: dict[str, int]) -> int:
    """The place of a text among those that are known, which it joins."""
    number = numbers.get(text)
    if number is None:
        number = numbers[text] = len(known)
        known.append(text)
    return number


def learned_until(artifact: Artifact, store_id: str | None) -> int:
    """The position up to which a model has learned from the events of a store; 0 if it knows another store or none."""
    events = artifact.events
    return events.until if events is not None and events.store == store_id else 0
