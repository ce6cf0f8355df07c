"""Changes of films that were answered with 200 are there, whatever is killed; real processes under load."""

import http.client
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.settings import Settings
from tests.app.events.test_durability import at, count, kill_all, load
from tests.postgres import Postgres
from tests.processes import wait_until
from tests.sending import Sending, aim
from tests.service import serves, service

CHANGES = 1000
SIZE = 10  # films of a body
HEADERS = {"Content-Type": "application/json", "X-API-Key": "secret"}


class Editing(Sending):
    """Makes films, a body after the other, each again until it is answered with 200."""

    def __init__(self, first: int) -> None:
        super().__init__(SIZE, first)
        self.tries: Counter[str] = Counter()  # of each film that was answered

    def run(self) -> None:
        """Go on until all is over."""
        while not self.stopping.is_set():
            ids, tries = [str(self._item + number) for number in range(SIZE)], 0
            status = 0
            while status != 200 and not self.stopping.is_set():
                status, tries = self._put(ids), tries + 1
                time.sleep(0.01)
            if status == 200:
                self.tries.update(dict.fromkeys(ids, tries))
                self.answered += ids
            self._item += SIZE

    def _put(self, ids: list[str]) -> int:
        body, status = {"items": [{"id": each, "title": f"Film {each}"} for each in ids]}, 0
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/items", json.dumps(body).encode(), HEADERS)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        self.statuses[status] += 1
        return status


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_changes_that_were_answered_are_there_once_whatever_is_killed(
    database: str, events_settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: Postgres | None = request.getfixturevalue("events_database") if database == "postgresql" else None
    stored = events_settings if server is None else at(events_settings, server)
    settings = Settings.model_validate({**stored.model_dump(), "catalogue_keys": "ann:secret"})
    editors: list[Editing] = [Editing(10**6 * number) for number in range(1, 5)]
    for each in editors:
        each.start()
    try:
        with service(settings, tmp_path / "log") as (client, running):
            wait_until(serves(client, "1"))
            aim(editors, client)
            load(editors, 0)
            if server is not None:
                kill_all(server, editors)
            load(editors, 1)
            os.killpg(running.pid, signal.SIGKILL)
        with service(settings, tmp_path / "log") as (client, _):
            wait_until(serves(client, "1"))
            aim(editors, client)
            wait_until(lambda: count(editors) >= CHANGES)
            last = editors[0].answered[-1]
            assert client.get(f"/items/{last}").json["title"] == f"Film {last}"
    finally:
        for each in editors:
            each.stopping.set()
        for each in editors:
            each.join()
    check(editors, settings)


def check(editors: list[Editing], settings: Settings) -> None:
    """Each answered film is in the store with its title, and once where it was sent once."""
    assert settings.events_url is not None
    store = open_store(StoreAddress(settings.events_url.get_secret_value()))
    changes = store.read_changes_after(0, 10**6)
    store.close()
    found = Counter(change.item_id for change in changes)
    assert {json.loads(change.body or "")["title"] == f"Film {change.item_id}" for change in changes} == {True}
    for each in editors:
        assert set(each.answered) <= found.keys()
        assert {found[item_id] for item_id, tries in each.tries.items() if tries == 1} == {1}
