"""What people have said in a few bytes for each event."""

import math
from collections.abc import Sequence
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract.events import FORGET
from app.events.rows import StoredEvent

PACKED = Struct("<qiHdd")  # position, item number, type number, value, time in seconds since 1970
PACKED_ARRAY = np.dtype([("position", "<i8"), ("item", "<i4"), ("type", "<u2"), ("value", "<f8"), ("time", "<f8")])
LAST_TYPE = 2**16 - 1
NO_ITEM = -1
NO_VALUE = math.nan

Packed = npt.NDArray[np.void]  # of PACKED_ARRAY


class FreshEvent(NamedTuple):
    """One event of a user; `item` is a place in `Packing.item_ids`, or NO_ITEM for the wish to be forgotten."""

    position: int
    item: int
    type: str
    value: float | None


class Packing:
    """Packs events, and unpacks them; items and types get numbers, in the order in which they come."""

    def __init__(self) -> None:
        self.item_ids: list[str] = []
        self._types = [FORGET]
        self._item_numbers: dict[str, int] = {}
        self._type_numbers = {FORGET: 0}

    def unpacked(self, packed: bytes) -> list[FreshEvent]:
        """The events of a user, oldest first."""
        found = sorted(PACKED.iter_unpack(packed))
        return [
            FreshEvent(position, item, self._types[kind], None if math.isnan(value) else value)
            for position, item, kind, value, _ in found
        ]

    def packed(self, event: StoredEvent) -> bytes:
        """One event."""
        item = NO_ITEM if event.item_id is None else _number(event.item_id, self.item_ids, self._item_numbers)
        kind = min(_number(event.type, self._types, self._type_numbers), LAST_TYPE)
        value = NO_VALUE if event.value is None else event.value
        return PACKED.pack(event.position, item, kind, value, event.occurred_at)

    def tidied(self, packed: bytes) -> bytes:
        """Keep what counts: the last wish to be forgotten, and of the events after it the last about each item."""
        last: dict[int, tuple[int, int, int, float, float]] = {}
        for event in sorted(PACKED.iter_unpack(packed)):
            if self._types[event[2]] == FORGET:
                last.clear()
            last[event[1]] = event
        return b"".join(PACKED.pack(*event) for event in last.values())

    def item_number(self, item_id: str) -> int | None:
        """The place of an item in `item_ids`; None if no event was about it."""
        return self._item_numbers.get(item_id)

    def type_name(self, number: int) -> str:
        """The type that a number of `last_of_all` stands for."""
        return self._types[number]


def _number(text: str, known: list[str], numbers: dict[str, int]) -> int:
    """The place of a text among those that are known, which it joins."""
    number = numbers.get(text)
    if number is None:
        number = numbers[text] = len(known)
        known.append(text)
    return number


def last_of_all(users: Sequence[bytes], after: int) -> Packed:
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
