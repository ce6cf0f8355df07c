"""Our service side by side with others, on an artifact of MovieLens-25M's size, under load by wrk.

    python -m benchmarks.serving [--seconds 5] [--rounds 3] [--only service,mlflow] [--markdown FILE]

Each server runs alone with one worker and its defaults, answers some users, `--checked`, as `Recommender` ranks them,
is warmed, then loaded for some seconds at each number of `--connections`. Rounds repeat all of it; the median counts.
Ends with 1 where an answer is wrong.
"""

import os
import sys
from argparse import Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from app.contract.artifact_directory import load_artifact
from app.contract.ranking import NO_ITEM
from app.contract.recommender import Recommender
from benchmarks import load
from benchmarks.big_artifact import MOVIELENS_25M, kept
from benchmarks.contenders import CONTENDERS, FILTERED, NOTHING, PLAIN, Contender, Route
from benchmarks.load import Load
from benchmarks.options import options
from benchmarks.report import AT, Measured, Workers, markdown, publish
from benchmarks.servers import Memory, Server, serving
from tests.artifacts import film_of

K = 10
GENRE, YEAR_FROM = "Drama", 1990
BUSY = 0.3
WARM_SECONDS, WARM_CONNECTIONS = 2, 16


@dataclass(frozen=True)
class Truth:
    """The ids of the films that `Recommender` ranks first, by kind of route and user.

    It doesn't keep the artifact: files that this process maps as well would count as shared in a server's memory.
    """

    expected: Mapping[str, Mapping[int, list[int]]]

    @classmethod
    def of(cls, folder: Path, n_users: int) -> "Truth":
        """Of some users at random."""
        artifact = load_artifact(folder)
        recommender = Recommender(artifact)
        films = [film_of(artifact.catalogue, row) for row in range(recommender.n_items)]
        allowed = np.array([GENRE in film.genres and (film.year or 0) >= YEAR_FROM for film in films])
        expected: dict[str, dict[int, list[int]]] = {PLAIN: {}, FILTERED: {}}
        for row in np.random.default_rng(0).choice(recommender.n_users, n_users, replace=False):
            ranked = recommender.recommend(np.array([row]), recommender.n_items).items[0]
            ranked, user = ranked[ranked != NO_ITEM], int(artifact.user_ids[row])
            expected[PLAIN][user] = artifact.item_ids[ranked[:K]].tolist()
            expected[FILTERED][user] = artifact.item_ids[ranked[allowed[ranked]][:K]].tolist()
        return cls(expected)

    def difference(self, server: Server, route: Route) -> str | None:
        """What is wrong with the first wrong answer, or None; of a constant any answer is right."""
        for user, expected in self.expected[FILTERED if route.expected == FILTERED else PLAIN].items():
            status, body = server.ask(route.request, user)
            if status != 200:
                return f"answers {status} for user {user}: {body[:200].decode(errors='replace')}"
            if route.expected != NOTHING and (found := route.ids(body)) != expected:
                return f"answers {found} for user {user}; Recommender ranks {expected} first"
        return None


def main() -> None:
    """Measure, print, and write a file where one is asked for."""
    given = options(
        __doc__, seconds=5, connections=[1, 16, 64], rounds=3, checked=25, only=tuple(CONTENDERS), markdown=Path
    )
    load.require_wrk()
    if (busy := os.getloadavg()[0]) > BUSY:
        print(f"Other programs keep {busy:.1f} processors busy: rates and latencies will suffer", flush=True)
    artifact = kept()
    truth = Truth.of(artifact, given.checked)
    contenders = [CONTENDERS[name](artifact) for name in given.only]
    found: dict[str, list[Measured]] = defaultdict(list)
    wrong: dict[str, str] = {}
    for number in range(1, given.rounds + 1):
        for contender in contenders:
            print(f"Round {number} of {given.rounds}: {contender.name}", flush=True)
            for name, measured in _measure(contender, truth, wrong, given).items():
                found[name].append(measured)
    workers = next((_workers(each, given.seconds) for each in contenders if each.name == "service"), None)
    text = markdown({name: _median(each) for name, each in found.items()}, workers, wrong)
    publish(text, given.markdown)
    sys.exit(bool(wrong))


def _measure(contender: Contender, truth: Truth, wrong: dict[str, str], given: Namespace) -> dict[str, Measured]:
    """By route; a route whose answers are wrong is left out and named in `wrong`."""
    found: dict[str, Measured] = {}
    with serving(contender.name, contender.command, contender.variables) as (server, started):
        start = server.seconds_to_first_answer(contender.routes[0].request, started)
        resident = server.memory().rss
        for route in contender.routes:
            if problem := truth.difference(server, route):
                print(f"  {route.name} {problem}", flush=True)
                wrong[route.name] = problem
                continue
            loads = _loads(server, route, given)
            found[route.name] = Measured(loads, start, resident, server.memory())
    return found


def _loads(server: Server, route: Route, given: Namespace) -> dict[int, Load]:
    users = MOVIELENS_25M.users
    load.run(server.port, route.request, users, WARM_CONNECTIONS, WARM_SECONDS)
    loads: dict[int, Load] = {}
    for connections in given.connections if route.everywhere else [AT]:
        before = server.processor_seconds()
        one = load.run(server.port, route.request, users, connections, given.seconds)
        used = server.processor_seconds() - before
        loads[connections] = replace(one, processor_ms=1000 * used / max(1, one.answered * route.lists))
        print(
            f"  {route.name:<34}{connections:>4} connections {one.rate:>9.0f} req/s, p99 {one.p99:.1f} ms", flush=True
        )
    return loads


def _workers(service: Contender, seconds: int) -> Workers:
    """What a second worker of the service holds alone, after load."""
    trees: list[Memory] = []
    two = replace(service, name=f"{service.name}-2", command=[*service.command, "--workers", "2"])
    for contender in (service, two):
        print(f"Memory: {contender.name}", flush=True)
        with serving(contender.name, contender.command, contender.variables) as (server, started):
            request = contender.routes[0].request
            server.seconds_to_first_answer(request, started)
            load.run(server.port, request, MOVIELENS_25M.users, 64, seconds)
            trees.append(server.memory())
    return Workers(*trees)


def _median(rounds: Sequence[Measured]) -> Measured:
    loads = {}
    for connections in rounds[0].loads:
        each = [one.loads[connections] for one in rounds]
        rate, p50, p99, p999, processor_ms = (
            _middle(each, name) for name in ("rate", "p50", "p99", "p999", "processor_ms")
        )
        answered, errors = (sum(getattr(one, name) for one in each) for name in ("answered", "errors"))
        loads[connections] = Load(rate, p50, p99, p999, answered, errors, processor_ms)
    return Measured(loads, _middle(rounds, "start"), _middle(rounds, "resident"), rounds[-1].memory)


def _middle(measured: Sequence[object], name: str) -> float:
    return float(median(getattr(each, name) for each in measured))


if __name__ == "__main__":
    main()
