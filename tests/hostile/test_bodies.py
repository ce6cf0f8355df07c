"""Bodies that nobody would write: an answer below 500, in one of two shapes, whatever they hold."""

import json
import random
import threading
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from app.schemas.bodies import BatchRequest, FoldInRequest
from app.settings import Settings
from tests.client import Client
from tests.every_route import EDITOR
from tests.hostile.conftest import SEED, Connection, Table, Tally
from tests.hostile.test_http import mutated
from tests.processes import wait_until
from tests.service import serves, service

pytestmark = pytest.mark.hostile

ODD: list[Any] = [
    None, True, -1, 0, 1.0, 1.5, 1e308, 10**400, "", "1001", "\ud800", "\0", "x" * 20_000, [], [[]], {}, {"a": {}},
    [None] * 2000,
    [1001] * 1001, float("nan"), float("inf"), -0.0, "é" * 300, ["Comedy"] * 51, [""], {"liked": [1001]},
]  # fmt: skip
BODIES = {
    "/recommendations": {"liked": [1001, 1002], "disliked": [1003], "k": 5, "genre": ["Comedy"], "explain": True},
    "/recommendations/batch": {"user_ids": [1, 2, "x"], "k": 3, "exclude": [1001], "include_seen": False},
}
EVENT = {
    "event_id": "1b671a64-40d5-491e-99b0-da01ff1f3341", "user_id": 1, "item_id": 10, "type": "rating", "value": 4.5,
    "occurred_at": "2026-11-23T11:56:29Z", "recommendation_id": "AQEBZ0Y1",
}  # fmt: skip
FILM = {
    "title": "Paths of Glory", "year": 1957, "genres": ["War"], "available_from": "2026-11-23T11:56:29Z",
    "available_until": "2027-01-01", "withdrawn": False,
}  # fmt: skip
METHODS = ["PUT", "PATCH", "DELETE", "POST", "GET"]
ODD_IDS = [
    "10", "20", "9001", "007", "-1", "x", "\0", "é" * 90, "x" * 300, "a/b", "changes", "popular", "../10", " ",
    str(10**30),
]  # fmt: skip
FIELDS = [*dict.fromkeys([*FoldInRequest.model_fields, *BatchRequest.model_fields]), "?"]


def is_right(status: int, body: bytes) -> bool:
    answer = json.loads(body)
    expected = {"error"} if status >= 400 else {"items", "answers", "accepted", "changes", "position", "title"}
    return status < 500 and bool(answer.keys() & expected)


def test_bodies_with_odd_values_and_changed_bytes(connection: Connection, table: Table) -> None:
    random_, tally = random.Random(SEED), Tally()
    for number in range(6000):
        route = random_.choice(list(BODIES))
        content = {
            **BODIES[route],
            **{random_.choice(FIELDS): random_.choice(ODD) for _ in range(random_.randrange(3))},
        }
        body = json.dumps(content).encode()
        if number % 2:
            body = mutated(random_, body)
        tally.count(is_right(*(answer := connection.ask(route, body))), (route, body[:200], answer))
    table.add("bodies with odd values, half of them with changed bytes", tally)


def test_events_with_odd_values_and_changed_bytes(events_settings: Settings, table: Table, tmp_path: Path) -> None:
    random_, tally = random.Random(SEED), Tally()
    with service(events_settings, tmp_path / "log") as (client, _):
        wait_until(serves(client, "1"))
        connection = Connection(client.port)
        for number in range(3000):
            odd = {random_.choice([*EVENT, "?"]): random_.choice(ODD) for _ in range(random_.randrange(3))}
            body = json.dumps({"events": [{**EVENT, **odd}] * random_.choice([0, 1, 1, 1, 2, 20])}).encode()
            if number % 2:
                body = mutated(random_, body)
            tally.count(is_right(*(answer := connection.ask("/events", body))), (body[:300], answer))
        connection.close()
    tally.count("Traceback" not in (tmp_path / "log").read_text(errors="replace"), "a traceback in the log")
    table.add("bodies with odd events, half of them with changed bytes", tally)


def test_changes_of_films_with_odd_values_and_changed_bytes(
    events_settings: Settings, table: Table, tmp_path: Path
) -> None:
    random_, tally = random.Random(SEED), Tally()
    with service(events_settings, tmp_path / "log") as (client, _):
        wait_until(serves(client, "1"))
        connection = Connection(client.port)
        for number in range(3000):
            method, item = random_.choice(METHODS), quote(random_.choice(ODD_IDS), safe="")
            path = random_.choice(["/items", "/items/changes", *[f"/items/{item}"] * 5])
            film: dict[str, Any] = {**FILM, **{random_.choice([*FILM, "?"]): random_.choice(ODD) for _ in range(2)}}
            if number % 50 == 0:
                film |= {f"column{n}": n for n in range(10_000)}
            body = json.dumps({"items": [{"id": item, **film}] * random_.randrange(3)} if path == "/items" else film)
            sent = mutated(random_, body.encode()) if number % 2 else body.encode()
            headers = {"X-API-Key": random_.choice("aab?"), "If-Match": random_.choice(["*", '"x"', "x" * 300, "*, *"])}
            answer = connection.ask(path, None if method == "GET" else sent, method, headers)
            tally.count(is_right(*answer), (method, path, sent[:200], answer))
            if answer[0] == 400:
                connection.close()
        said = connection.ask("/items/changes?k=100", headers={"X-API-Key": "a"})
        connection.close()
    with service(events_settings, tmp_path / "log") as (client, _):
        wait_until(serves(client, "1"))
        connection = Connection(client.port)
        tally.count(
            connection.ask("/items/changes?k=100", headers={"X-API-Key": "a"}) == said, "a restart forgets changes"
        )
        connection.close()
    tally.count("Traceback" not in (tmp_path / "log").read_text(errors="replace"), "a traceback in the log")
    table.add("changes of films with odd values, half of them with changed bytes; a restart", tally)


def test_two_editors_at_once_lose_nothing(events_settings: Settings, table: Table, tmp_path: Path) -> None:
    tally, made = Tally(), list[int]()

    def edit(port: int, key: str) -> None:
        """Add a year to what is there now, a hundred times."""
        for _ in range(100):
            film = Client(port).get("/items/10")
            headers = {"X-API-Key": key, "If-Match": film.headers["etag"], "Content-Type": "application/json"}
            body = json.dumps({"year": film.json["year"] + 1}).encode()
            made.append(Client(port).get("/items/10", "PATCH", headers, body).status)

    with service(events_settings, tmp_path / "log") as (client, _):
        wait_until(serves(client, "1"))
        before = client.get("/items/10").json["year"]
        editors = [threading.Thread(target=edit, args=[client.port, key]) for key in "ab"]
        for each in editors:
            each.start()
        for each in editors:
            each.join()
        after = client.get("/items/10").json["year"]
    for status in made:
        tally.count(status in (200, 412), status)
    tally.count(after - before == made.count(200) >= 100, (before, after, made.count(200)))
    table.add("two editors who change the same film at once, with `If-Match`", tally)


def attack(port: int, path: str) -> None:
    """Send bodies of 830 kB with 83,000 unknown keys for ever."""
    keys = "{" + ",".join(f'"{number:05x}":1' for number in range(83_000)) + "}"
    body = (keys if path == "/recommendations" else f'{{"items":[{keys}]}}').encode()
    connection = Connection(port)
    while True:
        connection.ask(path, body, headers=EDITOR)


@pytest.mark.parametrize("route", ["/recommendations", "/items"])
def test_large_bodies_do_not_hold_up_others(target: Client, connection: Connection, table: Table, route: str) -> None:
    """Prints what others wait for meanwhile; no limit, because it depends on the machine."""
    attackers = [get_context("spawn").Process(target=attack, args=[target.port, route], daemon=True) for _ in range(4)]
    for each in attackers:
        each.start()
    tally, waited = Tally(), dict[str, list[float]]()
    try:
        time.sleep(2)
        for path in ["/health/live", "/users/1/recommendations", "/items/popular", "/items?query=film", "/model"] * 200:
            began = time.perf_counter()
            tally.count(connection.ask(path)[0] == 200, path)
            waited.setdefault(path, []).append(1000 * (time.perf_counter() - began))
    finally:
        for each in attackers:
            each.terminate()
    for path, times in waited.items():
        print(f"{path}: p50 {np.median(times):.1f} ms, p99 {np.percentile(times, 99):.1f} ms")  # noqa: T201 - to read
    table.add(f"answers while four clients send bodies of 830 kB to {route}", tally)
