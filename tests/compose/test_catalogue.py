"""The living catalogue, with three replicas: what an editor says counts in everybody's lists."""

import json
import time
from collections import Counter
from typing import Any

import pytest

from tests.compose.conftest import Break
from tests.compose.deployment import EDITORS_KEY, Deployment
from tests.processes import wait_until

pytestmark = pytest.mark.compose
LISTS = 1000


def change(deployment: Deployment, method: str, film: int, content: object = None) -> dict[str, Any]:
    """The item as it is after the change of an editor."""
    headers = {"X-API-Key": EDITORS_KEY, "Content-Type": "application/json"}
    body = None if content is None else json.dumps(content).encode()
    answer = deployment.gateway.get(f"/items/{film}", method, headers, body)
    assert answer.status == 200, answer.body
    item: dict[str, Any] = answer.json["item"]
    return item


def test_a_withdrawn_film_is_in_no_list_after_a_second_and_comes_back(deployment: Deployment, breaking: Break) -> None:
    with breaking("a film is withdrawn, and comes back") as happening:
        lists = happening.clients.lists
        [(film, shown)] = Counter(film for _, films in lists for film in films).most_common(1)
        before = len(lists)
        item = change(deployment, "DELETE", film)
        gone = time.monotonic()
        wait_until(lambda: sum(asked > gone + 1 for asked, _ in lists) >= LISTS, step=0.5)
        back = time.monotonic()
        change(deployment, "PUT", film, {name: value for name, value in item.items() if name != "withdrawn"})
        wait_until(lambda: any(asked > back and film in films for asked, films in lists))
        happening.healed_after = time.monotonic() - back
    late = [asked - gone for asked, films in lists if gone < asked < back and film in films]
    since = sum(gone + 1 < asked < back for asked, _ in lists)
    print(f"\nin {shown} of {before} lists, then in {len(late)}, asked for at most {max(late, default=0):.3f} s later")  # noqa: T201
    print(f"{since} lists from the second on")  # noqa: T201
    assert [seconds for seconds in late if seconds > 1] == []
    assert happening.clients.failures == []
