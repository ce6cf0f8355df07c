"""Asks every GET route that the service's own document names: none may fail, whatever has broken."""

from collections.abc import Mapping
from typing import Any

from tests.client import Client

REASONS = ("no_model", "catching_up", "registry_unavailable", "events_unavailable")  # why a route may answer 503
NAMED = {"user_id": "1", "item_id": "10", "name": "home", "query": "film"}
EDITOR = {"X-API-Key": "a"}  # whose key most services of these tests know


def assert_every_route_answers(client: Client, headers: Mapping[str, str] | None = None) -> list[bytes]:
    """The bodies; fails for a status of 500, and for one of 503 without a reason that a client understands."""
    headers = EDITOR if headers is None else headers
    document = client.get("/openapi.json", headers=headers).json
    paths = [_filled(path, every["get"]) for path, every in document["paths"].items() if "get" in every]
    assert len(paths) > 10
    bodies = []
    for path in [*paths, "/metrics", "/"]:
        answer = client.get(path, headers=headers)
        # What is held about somebody, and what editors do, needs a key that may write, and the caller's may only read.
        is_kept_back = path.startswith(("/users/1/data", "/items/changes", "/placements")) and answer.status == 401
        assert is_kept_back or answer.status in (200, 404) or answer.json["error"]["code"] in REASONS, path
        bodies.append(answer.body)
    return bodies


def _filled(path: str, operation: Mapping[str, Any]) -> str:
    needed = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query" and each["required"]]
    return path.format(**NAMED) + "".join(f"?{name}={NAMED[name]}" for name in needed)
