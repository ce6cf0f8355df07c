"""Chooses the connections that are closed for new ones."""

from collections.abc import Collection
from operator import itemgetter
from typing import Generic, Protocol, TypeVar

# To ask all of 1,000 connections takes a millisecond.
LOOK_SECONDS = 0.1

Waiting = tuple[bool, float]  # whether it is idle, as a new one is; since when


class Connection(Protocol):
    """A connection of a server."""

    def waiting(self) -> Waiting | None:
        """How long its client has kept it waiting; None while it works for the client."""


AnyConnection = TypeVar("AnyConnection", bound=Connection)


class Room(Generic[AnyConnection]):
    """The order in which connections make room: those in the middle of something first, then by their wait."""

    def __init__(self) -> None:
        self._choices: list[AnyConnection] = []
        self._found = 0
        self._next_look = float("-inf")

    def choice(self, connections: Collection[AnyConnection], now: float) -> AnyConnection | None:
        """The next connection to close; None if all are busy, as far as we know."""
        if now >= self._next_look or self._is_used_up(len(connections)):
            self._next_look = now + LOOK_SECONDS
            asked = [(waiting, each) for each in connections if (waiting := each.waiting()) is not None]
            self._choices = [each for _, each in sorted(asked, key=itemgetter(0), reverse=True)]
            self._found = len(self._choices)
        while self._choices:
            choice = self._choices.pop()
            if choice in connections and choice.waiting() is not None:
                return choice
        return None

    def prefer(self, connection: AnyConnection) -> None:
        """Have this connection make room before all others."""
        self._choices.append(connection)

    def _is_used_up(self, count: int) -> bool:
        """Whether so many have made room since the last look that another one costs each of them little."""
        return not self._choices and 2 * self._found >= count
