"""What clients notice while the disk of PostgreSQL, which holds MLflow's database and the events, is full."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.compose.conftest import BreakEvents
from tests.compose.deployment import MODEL, NAME, Deployment, deployed, docker
from tests.processes import wait_until

pytestmark = pytest.mark.compose
FULL_SECONDS = 15
# The volume is gone when no container uses it, so one more does.
SMALL_DISK = """
services:
  keeper:
    image: ${POSTGRES_IMAGE:-postgres:17-alpine}
    entrypoint: [sleep, infinity]
    init: true
    volumes: ["postgres:/volume"]
volumes:
  postgres:
    driver_opts: {type: tmpfs, device: tmpfs, o: size=256m}
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Another deployment, whose database has 256 MB."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.yml").write_text(SMALL_DISK, encoding="utf-8")
    files = f"docker-compose.yml:{folder / 'small.yml'}"
    with deployed(folder, f"{NAME}-small", {"COMPOSE_FILE": files}) as started:
        started.wait_for("1")
        yield started


def test_a_full_disk_of_the_database_stops_writing_only(small: Deployment, breaking_events: BreakEvents) -> None:
    keeper = small.container("keeper")
    with breaking_events("the volume of PostgreSQL is full for 15 s", small) as broken:
        with contextlib.suppress(RuntimeError):
            docker("exec", keeper, "sh", "-c", "cat /dev/zero >/volume/filler")
        wait_until(lambda: not _logs_a_run(small))
        time.sleep(FULL_SECONDS)
        docker("exec", keeper, "rm", "/volume/filler")
        wait_until(lambda: _logs_a_run(small), step=1)
        small.promote("1")
        small.wait_for("1")
        wait_until(small.know_events, step=0.5)
        broken.healed()
    assert broken.clients.failures == []
    assert broken.writer.refusals.keys() == {"events_unavailable"}
    assert broken.lost == set()
    assert "No space left on device" in small.compose("logs", "postgres")


def _logs_a_run(deployment: Deployment) -> bool:
    """Whether MLflow can write half a megabyte."""
    with contextlib.suppress(OSError):
        _, found = deployment.mlflow("training", f"experiments/get-by-name?experiment_name={MODEL}")
        run = {"experiment_id": found["experiment"]["experiment_id"]}
        status, created = deployment.mlflow("training", "runs/create", run)
        if status == 200:
            params = [{"key": f"p{number}", "value": f"{number:06}" * 1000} for number in range(100)]
            batch = {"run_id": created["run"]["info"]["run_id"], "params": params}
            return deployment.mlflow("training", "runs/log-batch", batch)[0] == 200
    return False
