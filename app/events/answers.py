"""Keeps a sample of answered lists, from which figures come where nobody tells what was on screens."""

import json
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timezone
from math import ceil

from prometheus_client import Counter

from app.contract.events import is_storable
from app.contract.recommendation_id import read_id
from app.events.flushed import Flushed
from app.events.rows import Answer
from app.events.store import EventStore

MAX_WAITING = 20_000  # lists; older ones are dropped while the store is down
AT_ONCE = 1_000  # rows of one transaction
DIGITS = 4  # of the random end of an id, whose digits are sorted here as bytes are
ALPHABET = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


class Answers(Flushed):
    """Keeps a share of lists until they are stored; the end of a list's id is a lot already, so none is drawn."""

    def __init__(self, store: EventStore, failures: Counter, share: float) -> None:
        super().__init__("answers", store, failures)
        self._share, self._bound = share, bound(share)
        self._waiting = deque[Answer](maxlen=MAX_WAITING)

    def keeps(self, recommendation_id: bytes) -> bool:
        """Whether the lot of a list says that it is kept."""
        return recommendation_id[-DIGITS:] < self._bound

    def add(
        self, user_id: str, recommendation_id: bytes, source: str, items: Iterable[object], rank: int, where: str | None
    ) -> None:
        """Keep a list: its items, the first one's rank, and the placement that it was asked for."""
        name, ids = recommendation_id.decode(), [*map(str, items)]
        found = read_id(name)
        if found is None or not ids or not is_storable(user_id):
            return
        day = datetime.fromtimestamp(found.time, timezone.utc).date().isoformat()
        stored = json.dumps(ids, ensure_ascii=False)
        self._waiting.append(Answer(day, name, user_id, self._share, stored, rank, where, source))

    def flush(self) -> None:
        """Append what waits."""
        while taken := [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]:
            if not self._is_stored(lambda taken=taken: self._store.add(taken)):  # type: ignore[misc]
                self._waiting.extendleft(reversed(taken))
                return


def bound(share: float) -> bytes:
    """What a share of random ends of ids lies below."""
    number = ceil(share * len(ALPHABET) ** DIGITS)
    if number >= len(ALPHABET) ** DIGITS:
        return b"~"
    return bytes(ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in reversed(range(DIGITS)))
