"""Viewers with books look at lists of the deployment, and the figures of the page are those of the books."""

import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import Any

import psutil
import pytest

from app.events.flushed import FLUSH_SECONDS
from benchmarks.showings import LATE_SECONDS, VIEWERS, Viewer, viewing
from tests.compose.deployment import Deployment, docker
from tests.processes import wait_until

pytestmark = pytest.mark.compose

FILMS_PER_SECOND = 60  # 12 a second are a million a day
DOWN_SECONDS, CALM_SECONDS = 15, 20
RANK = "rank"
Books = tuple[Counter[str], Counter[str]]  # by rank: films that were shown, and those that were liked


def books_of(viewers: list[Viewer]) -> Books:
    shown = Counter(str(rank) for viewer in viewers for _, rank in viewer.shown)
    return shown, Counter(str(rank) for viewer in viewers for rank in viewer.liked.elements())


def figures(deployment: Deployment) -> Books:
    """What the route of the page says by rank, once everything is stored and training has looked."""
    time.sleep(FLUSH_SECONDS + LATE_SECONDS)
    today = datetime.now(timezone.utc).date()
    days = "--from", f"{today - timedelta(days=1)}", "--to", f"{today}"
    pleased = "python", "-m", "training", "pleased", *days, "--publish"
    deployment.compose("run", "--rm", "-T", "--no-deps", "train", *pleased)
    report: dict[str, Any] = deployment.gateway.get("/pleased").json["report"]
    ranks = [each for each in report["figures"] if each["dimension"] == RANK]
    shown, liked = ({each["group"]: each[name] for each in ranks} for name in ("shown", "successes"))
    return +Counter(shown), +Counter(liked)


def processor(container: str) -> float:
    """Seconds that the processes of a container have taken since they began."""
    parent = psutil.Process(int(docker("inspect", "--format", "{{.State.Pid}}", container)))
    return sum(sum(each.cpu_times()[:4]) for each in [parent, *parent.children(recursive=True)])


def test_figures_are_those_of_viewers_books_though_postgresql_is_killed(deployment: Deployment) -> None:
    names = [*deployment.replicas(), deployment.container("gateway")]
    before, began = sum(map(processor, names)), time.monotonic()
    with viewing(deployment.gateway, FILMS_PER_SECOND) as viewers:
        time.sleep(CALM_SECONDS)
        docker("kill", deployment.container("postgres"))
        time.sleep(DOWN_SECONDS)
        deployment.compose("start", "postgres")
        wait_until(deployment.know_events, step=0.5)
        time.sleep(CALM_SECONDS)
    seconds, took = time.monotonic() - began, sum(map(processor, names)) - before
    shown, liked = books_of(viewers)
    print(f"\n{shown.total()} films, {liked.total()} liked, in {seconds:.0f} s; {took:.1f} s of processor")  # noqa: T201
    assert shown.total() > CALM_SECONDS * FILMS_PER_SECOND
    assert figures(deployment) == (shown, liked)


def test_a_killed_replica_loses_what_was_shown_in_ten_seconds_and_no_success(deployment: Deployment) -> None:
    earlier, said = figures(deployment), int(deployment.sql("SELECT count(*) FROM event WHERE type = 'like'")[0])
    with viewing(deployment.gateway, FILMS_PER_SECOND, VIEWERS) as viewers:
        time.sleep(2 * FLUSH_SECONDS)
        killed = time.monotonic()
        docker("kill", deployment.replicas()[0])
        time.sleep(CALM_SECONDS)
    docker("start", *deployment.compose("ps", "--all", "--quiet", "api").split())
    wait_until(deployment.know_events, step=0.5)
    shown, liked = books_of(viewers)
    lost = shown.total() - (figures(deployment)[0].total() - earlier[0].total())
    late = sum(0 < killed - when < FLUSH_SECONDS + LATE_SECONDS for viewer in viewers for when, _ in viewer.shown)
    print(f"\n{lost} of {late} films shown in the last seconds are lost")  # noqa: T201
    assert lost <= late
    assert int(deployment.sql("SELECT count(*) FROM event WHERE type = 'like'")[0]) == said + liked.total()
