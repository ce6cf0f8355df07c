"""Chooses the connections that are closed for new ones."""

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

from app.http.patience import Debt


class Connection(Protocol):
    """A connection of a server."""

    is_queued: bool

    def owed(self) -> Debt | None:
        """What its client has to do before anything goes on; None while it works for the client."""


AnyConnection = TypeVar("AnyConnection", bound=Connection)


class Room(Generic[AnyConnection]):
    """A queue of connections, in which those come first whose clients have done nothing for the longest.

    A connection is looked at when it comes first. If its client has made progress since, it goes to the end; while it
    works for its client, it is out of the queue until it enters again. So each look but the last was paid for by a
    request, and a new connection costs no more however many there are.
    """

    def __init__(self) -> None:
        self._queue: OrderedDict[AnyConnection, Debt | None] = OrderedDict()

    def enter(self, connection: AnyConnection) -> None:
        """Go to the end of the queue."""
        connection.is_queued = True
        self._queue[connection] = connection.owed()

    def leave(self, connection: AnyConnection) -> None:
        """Be out of the queue."""
        connection.is_queued = False
        self._queue.pop(connection, None)

    def choice(self) -> AnyConnection | None:
        """Take out the next connection to close; None if all work for their clients."""
        while self._queue:
            first, before = next(iter(self._queue.items()))
            owed = first.owed()
            self.leave(first)
            if owed is not None and owed == before:
                return first
            if owed is not None:
                self.enter(first)
        return None
