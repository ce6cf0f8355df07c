"""Measures what ids, kept answers and a running trial add to a plain answer at the front door, without sockets.

    python -m benchmarks.front_door [--rounds 150]

Processor time of one process, the least of many short rounds: what else the machine does only adds to it.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.contract.ready_scores import as_millionths
from app.contract.recommender import Recommender
from app.contract.trial import Trial
from app.main import Service, create_app
from app.model.registered_version import RegisteredVersion
from app.model.store import ServedModel, load_model
from app.settings import Settings
from benchmarks.options import options
from benchmarks.report import table
from tests.artifacts import make_artifact, write

USERS, ITEMS, READY = 200, 100, 50
REQUESTS = 400  # of a round
MICRO = 1e6
SHARES = {"one list in a hundred is kept": 0.01, "each list is kept": 1}
CASES = ("no events are kept", "events are kept: lists have ids", *SHARES, "a trial runs")


def main() -> None:
    """Print processor time for each case, and the difference to the first."""
    rounds = options(__doc__, rounds=150).rounds
    with tempfile.TemporaryDirectory() as scratch:
        services = [_service(case, Path(scratch)) for case in CASES]
        # In turns, so that a busy moment of the machine meets all of them.
        times = np.array(
            [[asyncio.run(time_of_requests(service, USERS, REQUESTS)) for service in services] for _ in range(rounds)]
        )
    least = times.min(axis=0)
    rows = [[case, f"{one:.1f}", f"{one - least[0]:+.1f}"] for case, one in zip(CASES, least, strict=True)]
    print(table(["", "µs a request", "more"], rows))


def _service(case: str, scratch: Path) -> Service:
    url = "off" if case == CASES[0] else f"sqlite:///{scratch}/events.db"
    settings = {"log_level": "WARNING", "trial_share": None, "events_url": url, "answered_share": SHARES.get(case, 0)}
    service = create_app(Settings.model_validate(settings))
    service.state.parts.store.swap(_model(scratch / f"{case} 7", "7"))
    if case == CASES[-1]:
        challenger = service.state.parts.challenger
        challenger.store.swap(_model(scratch / f"{case} 8", "8"))
        challenger.trial = Trial("8", "7", "movie-recommender:8", 0.5, 0)
    return service


def _model(directory: Path, version: str) -> ServedModel:
    artifact = make_artifact(range(1, USERS + 1), range(1, ITEMS + 1))
    ranking = Recommender(artifact).recommend(np.arange(USERS), READY)
    scores = as_millionths(ranking.scores)
    ready = make_artifact(
        range(1, USERS + 1), range(1, ITEMS + 1), ready_items=ranking.items.astype(np.int32), ready_scores=scores
    )
    return load_model(write(directory, ready), RegisteredVersion(version, 0, ""))


async def time_of_requests(service: Service, users: int, requests: int) -> float:
    """Microseconds of processor time for a plain request of users 1, 2 and so on, each in turn."""
    door, request = service.front_door, _cycle()
    assert door is not None
    scopes: list[Scope] = [
        {"method": "GET", "raw_path": b"/users/%d/recommendations" % user, "root_path": "", "query_string": b"",
         "headers": [(b"host", b"films.example"), (b"accept", b"*/*")]}
        for user in range(1, users + 1)
    ]  # fmt: skip
    started = time.process_time()
    for number in range(requests):
        request.response_started = False
        request.scope = scopes[number % users]
        door.answers_at_once(request)
    return (time.process_time() - started) / requests * MICRO


def _cycle() -> Any:  # noqa: ANN401 - uvicorn's own, without a connection
    """A request of uvicorn's, without a connection."""
    cycle = RequestResponseCycle.__new__(RequestResponseCycle)
    cycle.access_log = cycle.disconnected = cycle.response_started = False
    cycle.keep_alive, cycle.default_headers = True, [(b"date", b"Sat, 28 Nov 2026 00:00:00 GMT")]
    nothing = SimpleNamespace(write_paused=False, write=lambda _: None, set=lambda: None)
    cycle.flow = cycle.transport = cycle.message_event = nothing  # type: ignore[assignment]
    cycle.on_response = lambda: None
    return cycle


if __name__ == "__main__":
    main()
