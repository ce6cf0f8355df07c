"""Generated requests get the same answer, and leave the same metrics, with the front door and without it."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from numpy.typing import ArrayLike
from starlette.types import Message, Scope

from app.contract.artifact import Artifact
from app.contract.ready_scores import as_millionths
from app.contract.recommender import Recommender
from app.main import Service, create_app
from app.model.registered_version import RegisteredVersion
from app.model.store import load_model
from app.settings import Settings
from tests.artifacts import make_artifact, write
from tests.metrics import collected

REQUESTS = 600  # for each kind of ids and of settings
USERS, ITEMS, READY = 12, 30, 20
NUMBERS = [0, 1, 2, 7, 10, 42, 99, 100, 1000, 12345, 2**31, 2**62]
TEXTS = sorted(["0", "7", "007", "ann", "Ann", "a-b", "a.b", "a_b", "a~b", "b", "z" * 30, "user.1"])
UNKNOWN = ["8", "-1", "+7", "1e3", "007", "00", "9" * 18, "9" * 19, "9" * 400, "nobody", "", ".", "..", "~", "x" * 201]
ENCODED = [
    "%31",
    "%30",
    "a%2Fb",
    "%C3%A4",
    "%ff",
    "%00",
    "%0A",
    "a+b",
    "a;b",
    "a:b",
    "a@b",
    "1%20",
    "a,b",
    "(a)",
    "'",
    "*",
]
PLAIN = ["", "k=1", "k=5", "k=10", "k=19", "k=20", "k=21", "k=100"]
QUERIES = [
    "k=0", "k=101", "k=05", "k=+5", "k=5&", "&k=5", "k=5&k=6", "K=5", "k=", "k", "k=5.0", "k=%35", "x=1", "k=5&x=1",
    "offset=3", "k=5&offset=18", "genre=Comedy", "genre=comedy&k=3", "exclude=1&exclude=2",
    "year_from=1990&year_to=1995", "include_seen=true", "diversity=0.4", "explain=true", "explain=false",
    "k=3&explain=1", "a" * 600,
]  # fmt: skip
PATHS = ["/users/{}/recommendations"] * 12 + [
    "/users/{}/recommendations/", "/users/{}/history", "/users//{}/recommendations", "/Users/{}/recommendations",
    "/users/{}/recommendations%2F", "/users/{}/recommendation", "//users/{}/recommendations",
]  # fmt: skip
HEADERS = [
    ("x-request-id", "abc"), ("x-request-id", "bad id"), ("x-request-id", "x" * 128), ("x-request-id", "x" * 129),
    ("x-api-key", "right"), ("x-api-key", "right"), ("x-api-key", "wrong"), ("x-api-key", ""),
    ("origin", "https://films.example"), ("origin", "https://other.example"), ("accept", "text/html"),
    ("content-length", "3"), ("expect", "100-continue"), ("connection", "close"), ("authorization", "Bearer right"),
]  # fmt: skip
# Two requests never take equally long.
TIMES = ("recommender_request_seconds_", "recommender_model_", "process_")


def make_ready(user_ids: ArrayLike) -> Artifact:
    """Random embeddings with ready lists; of the first users one has seen nearly all, one has no vector."""
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(USERS, 3)).astype(np.float32)
    vectors[1] = 0
    vectors[4] *= 1e4  # scores beyond what millionths can tell
    artifact = make_artifact(
        user_ids, range(1, ITEMS + 1), seen={0: [0, 3], 2: list(range(25)), 5: []}, user_embeddings=vectors
    )
    ranking = Recommender(artifact).recommend(np.arange(USERS), READY)
    scores = as_millionths(np.where(np.isneginf(ranking.scores), 0, ranking.scores))
    return make_artifact(
        user_ids,
        range(1, ITEMS + 1),
        seen={0: [0, 3], 2: list(range(25)), 5: []},
        user_embeddings=vectors,
        ready_items=ranking.items.astype(np.int32),
        ready_scores=scores,
    )


@pytest.fixture(scope="module", params=[NUMBERS, TEXTS], ids=["numbers", "texts"])
def artifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On disk, for users with numbers and for users with texts."""
    return write(tmp_path_factory.mktemp("ready") / "served", make_ready(request.param))


def make_service(artifact: Path, with_front_door: bool, **fields: Any) -> Service:
    service = create_app(Settings(log_level="WARNING", **fields))
    model = load_model(artifact, RegisteredVersion("7", 0, "run"))
    service.state.parts.store.swap(model)
    service.state.parts.telemetry.model.swapped(model)
    if not with_front_door:
        service.front_door = None
    return service


def generated(rng: random.Random, n: int) -> Iterator[Scope]:
    ids = [*map(str, NUMBERS), *TEXTS] * 3 + UNKNOWN + ENCODED
    for _ in range(n):
        raw_path = rng.choice(PATHS).format(rng.choice(ids)).encode()
        query = rng.choice(PLAIN if rng.random() < 0.6 else QUERIES)
        headers = rng.sample(HEADERS, rng.choice([0, 0, 1, 1, 2, 3]))
        yield {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": rng.choice(["1.1", "1.1", "1.0"]),
            "method": rng.choice(["GET"] * 9 + ["HEAD", "POST", "OPTIONS", "get"]),
            "scheme": "http",
            "path": unquote_to_bytes(raw_path).decode(errors="replace"),
            "raw_path": raw_path,
            "query_string": query.encode(),
            "root_path": rng.choice([""] * 9 + ["/films"]),
            "headers": [(b"x-request-id", b"same"), *((name.encode(), value.encode()) for name, value in headers)],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }


async def answer(service: Service, scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await service({**scope, "headers": list(scope["headers"]), "state": {}}, receive, send)
    return sent


def counters(service: Service) -> dict[str, float]:
    found = collected(service.state.parts.telemetry.collectors)
    return {name: value for name, value in found.items() if not name.startswith(TIMES) and "_created" not in name}


@pytest.mark.parametrize(
    "fields",
    [pytest.param({}, id="open", marks=pytest.mark.long), pytest.param({"api_keys": "right,other"}, id="keys")],
)
def test_generated_requests_are_answered_and_counted_alike(artifact: Path, fields: dict[str, Any]) -> None:
    async def compare() -> tuple[Service, Service]:
        services = make_service(artifact, True, **fields), make_service(artifact, False, **fields)
        for scope in generated(random.Random(5), REQUESTS):  # noqa: S311 - no secret
            ours, documented = [await answer(service, scope) for service in services]
            assert ours == documented, scope
        return services

    with_front_door, without = asyncio.run(compare())
    assert counters(with_front_door) == counters(without)


@pytest.mark.parametrize("query", [b"k=5", b"genre=Comedy&k=5"])
def test_most_requests_of_lists_never_reach_the_middleware(
    artifact: Path, query: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise AssertionError("the middleware was reached")

    async def ask() -> list[Message]:
        service = make_service(artifact, True)
        monkeypatch.setattr("fastapi.FastAPI.__call__", fail)
        scope = next(generated(random.Random(5), 1))  # noqa: S311 - no secret
        plain = {"method": "GET", "raw_path": b"/users/7/recommendations", "query_string": query, "root_path": ""}
        return await answer(service, {**scope, **plain})

    assert asyncio.run(ask())[0]["status"] == 200


def test_where_the_front_door_fails_the_route_answers(
    artifact: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    scope = {**next(generated(random.Random(5), 1)), "method": "GET", "root_path": ""}  # noqa: S311 - no secret
    scope |= {"path": "/users/7/recommendations", "raw_path": b"/users/7/recommendations", "query_string": b"k=5"}
    service = make_service(artifact, True)
    expected = asyncio.run(answer(service, scope))
    monkeypatch.setattr("app.http.plain_answers.PlainAnswers.answer", fail)
    assert asyncio.run(answer(service, scope)) == expected
    assert "The front door failed; the route answers" in caplog.text
