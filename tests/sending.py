"""Clients that send events and new films without a pause, and send again what was not answered with 200."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from app.contract.events import CHANGE
from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.store import EventStore
from tests.client import Client
from tests.every_route import EDITOR

PAGE = 10_000
FILMS = 10  # of the body of an editor
FIRST_FILM = 10**6


class Sending(threading.Thread):
    """Sends bodies of `size` events, each over a connection of its own; `port` may change."""

    path = "/events"

    def __init__(self, size: int, item: int) -> None:
        super().__init__(daemon=True)
        self.port = 1  # no service yet: connections are refused
        self._size, self._item = size, item
        self.stopping = threading.Event()
        self.answered: list[str] = []  # the ids of all events that were answered with 200
        self.repeated: set[str] = set()  # of those that may be stored twice, for no id tells that they are the same
        self.statuses: Counter[int] = Counter()  # 0 counts lost connections
        self.slowest_refusal = 0.0  # seconds

    def run(self) -> None:
        """Send each body until it is answered with 200, or until all is over."""
        while not self.stopping.is_set():
            ids = self._new_ids()
            body = json.dumps(self._content(ids)).encode()
            while not self.stopping.is_set():
                if self._send(body) == 200:
                    self.answered += ids
                    break
                self._note_repeated(ids)
                time.sleep(0.05)

    def _new_ids(self) -> list[str]:
        return [str(uuid4()) for _ in range(self._size)]

    def _content(self, ids: Sequence[str]) -> dict[str, object]:
        said = {"user_id": self.name, "item_id": self._item, "type": "like"}
        return {"events": [{"event_id": event_id, **said} for event_id in ids]}

    def _note_repeated(self, ids: Sequence[str]) -> None:
        pass

    def _send(self, body: bytes) -> int:
        started, status = time.monotonic(), 0
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", self.path, body, {"Content-Type": "application/json", **EDITOR})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        if status == 503:
            self.slowest_refusal = max(self.slowest_refusal, time.monotonic() - started)
        self.statuses[status] += 1
        return status


class Adding(Sending):
    """Adds films."""

    path = "/items"

    def _new_ids(self) -> list[str]:
        self._item += self._size
        return [str(self._item + number) for number in range(self._size)]

    def _content(self, ids: Sequence[str]) -> dict[str, object]:
        return {"items": [{"id": each, "title": f"Film {each}"} for each in ids]}

    def _note_repeated(self, ids: Sequence[str]) -> None:
        self.repeated.update(ids)


@contextmanager
def sending(item: int, sizes: Sequence[int] = (1, 1, 1, 1, 10, 100)) -> Iterator[list[Sending]]:
    """Clients with events of these sizes, and an editor, who send to a service as soon as they are aimed at one."""
    clients = [*(Sending(size, item) for size in sizes), Adding(FILMS, FIRST_FILM)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        for each in clients:
            each.stopping.set()
        for each in clients:
            each.join()


def aim(clients: Sequence[Sending], client: Client) -> None:
    """Have the clients send to this service from now on."""
    for each in clients:
        each.port = client.port


def statuses(clients: Sequence[Sending]) -> Counter[int]:
    """How many answers of each status all clients got; 0 counts lost connections."""
    return sum((each.statuses for each in clients), start=Counter())


def missing_or_twice(clients: Sequence[Sending], url: str) -> tuple[set[str], set[str]]:
    """The ids of what was answered and is not in the store, and of what is there more than once."""
    store = open_store(StoreAddress(url))
    stored = Counter(_ids(store))
    store.close()
    answered = {event_id for each in clients for event_id in each.answered}
    assert answered
    repeated = {event_id for each in clients for event_id in each.repeated}
    return answered - stored.keys(), {event_id for event_id, number in stored.items() if number > 1} - repeated


def _ids(store: EventStore) -> Iterator[str]:
    position = 0
    while page := store.read_after(position, PAGE):
        yield from (str(each.item_id) if each.type == CHANGE else each.event_id for each in page)
        position = page[-1].position
