"""What is kept for a minute, and no more of it than there is room for."""

import threading
import time
from collections.abc import Hashable
from typing import Generic, TypeVar

SECONDS = 60.0
MOST = 10_000

Value = TypeVar("Value")


class KeptAMinute(Generic[Value]):
    """Values by a key that stands for all that they depend on; from any thread."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Value, float]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Value | None:
        """The value of a key, None if its minute is over."""
        value, until = self._kept.get(key, (None, 0.0))
        return value if time.monotonic() < until else None

    def put(self, key: Hashable, value: Value) -> Value:
        """Keep a value from now on; the one that was put first gives way."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value, time.monotonic() + SECONDS
            if len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
        return value
