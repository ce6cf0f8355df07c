"""What clients notice while parts of the deployment are broken, and that all is well again afterwards."""

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from tests.compose.conftest import Break
from tests.compose.deployment import MODEL, NAME, Deployment, docker, model_of
from tests.compose.page import PAGE, do
from tests.processes import answers, wait_until

pytestmark = pytest.mark.compose
DOWN_SECONDS = 15
CRASH = "import os; [os.kill(int(p), 9) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]"
# Passes requests on to MLflow at once, and each part of an answer 10 s later.
SLOW = """
import asyncio

async def pass_on(source, sink, seconds):
    while block := await source.read(1 << 20):
        await asyncio.sleep(seconds)
        sink.write(block)
    sink.close()

async def serve(client, to_client):
    server, to_server = await asyncio.open_connection("slow-mlflow", 5000)
    await asyncio.gather(pass_on(client, to_server, 0), pass_on(server, to_client, 10))

async def main():
    async with await asyncio.start_server(serve, "0.0.0.0", 5000) as listener:
        await listener.serve_forever()

asyncio.run(main())
"""
WRONG_CLOCK = f"""
FROM {MODEL}-api:test
USER 0
RUN apt-get update && apt-get install --yes --no-install-recommends faketime
USER 10001
"""
WIPE = """
import pathlib, shutil
for path in pathlib.Path("/var/cache/models").iterdir():
    shutil.rmtree(path) if path.is_dir() else path.unlink()
"""


def test_a_replica_that_crashes_is_noticed_by_nobody_and_comes_back(deployment: Deployment, breaking: Break) -> None:
    with breaking("a replica crashes (SIGKILL)") as broken:
        # The command ends with the container.
        with contextlib.suppress(RuntimeError):
            docker("exec", deployment.replicas()[0], "python", "-c", CRASH)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def test_a_replica_that_is_stopped_drains(deployment: Deployment, breaking: Break) -> None:
    replica = deployment.replicas()[0]
    with breaking("a replica is stopped, and started 15 s later") as broken:
        docker("stop", "--time", "40", replica)
        time.sleep(DOWN_SECONDS)
        docker("start", replica)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def test_a_replica_that_hangs_costs_two_seconds_and_no_answer(deployment: Deployment, breaking: Break) -> None:
    replica = deployment.replicas()[0]
    with breaking("a replica hangs for 20 s") as broken:
        docker("pause", replica)
        time.sleep(20)
        docker("unpause", replica)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []
    assert broken.clients.slowest < 2


def test_a_gateway_that_dies_comes_back_by_itself(deployment: Deployment, breaking: Break) -> None:
    with breaking("the gateway dies (SIGKILL)") as broken:
        with contextlib.suppress(RuntimeError):
            docker("exec", deployment.container("gateway"), "sh", "-c", "kill -9 -1")
        wait_until(lambda: answers(deployment.port, "/health/ready"))
        broken.healed()
    # Nobody listens for a moment, and that is all.
    assert all("Error" in failure or "RemoteDisconnected" in failure for failure in broken.clients.failures)


def test_a_replica_that_can_resolve_no_name_goes_on_serving(deployment: Deployment, breaking: Break) -> None:
    replica = deployment.replicas()[0]
    file = docker("inspect", "--format", "{{.ResolvConfPath}}", replica)
    with breaking("a replica's DNS fails for 30 s") as broken:
        before = _replace(file, "nameserver 192.0.2.1\n")
        wait_until(lambda: model_of(replica)["registry"]["status"] == "registry_unavailable", step=1)
        time.sleep(DOWN_SECONDS)
        _replace(file, before)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def _replace(file: str, content: str) -> str:
    """Write a file of the engine's host in place; returns what it held."""
    script = 'cat /file && printf %s "$0" >/file'
    image = f"{MODEL}-api:test"
    command = ("--user", "0", "--volume", f"{file}:/file", "--entrypoint", "sh", image, "-c", script, content)
    return docker("run", "--rm", *command) + "\n"


def test_mlflow_may_be_down(deployment: Deployment, breaking: Break) -> None:
    with breaking("MLflow is stopped for 15 s") as broken:
        deployment.compose("stop", "mlflow")
        time.sleep(DOWN_SECONDS)
        deployment.compose("start", "mlflow")
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


@contextlib.contextmanager
def mlflow_away(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """MLflow cut off the network where the service asks for it; gives the network and its container."""
    network, mlflow = f"{NAME}_registry", deployment.container("mlflow")
    docker("network", "disconnect", network, mlflow)
    yield network, mlflow
    docker("network", "connect", "--alias", "mlflow", network, mlflow)


def test_mlflow_may_be_out_of_reach(deployment: Deployment, breaking: Break) -> None:
    with breaking("MLflow is cut off its network for 15 s") as broken:
        with mlflow_away(deployment):
            time.sleep(DOWN_SECONDS)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def test_mlflow_may_be_slow(deployment: Deployment, breaking: Break, second_version: str) -> None:
    with breaking("MLflow takes 10 s for each answer, for 30 s; a promotion meanwhile") as broken:
        with mlflow_away(deployment) as (network, mlflow):
            docker("network", "connect", "--alias", "slow-mlflow", network, mlflow)
            options = ("--detach", "--init", "--network", network, "--network-alias", "mlflow")
            slow = docker("run", *options, f"{MODEL}-train:test", "python", "-c", SLOW)
            deployment.promote(second_version)
            time.sleep(2 * DOWN_SECONDS)
            states = {model["registry"]["status"] for model in deployment.models()}
            docker("rm", "--force", slow)
            docker("network", "disconnect", network, mlflow)
        deployment.wait_for(second_version)
        broken.healed()
        deployment.promote("1")
        deployment.wait_for("1")
    assert broken.clients.failures == []
    assert states == {"registry_unavailable"}


def test_replicas_whose_clocks_differ_follow_all_the_same(
    deployment: Deployment, breaking: Break, second_version: str
) -> None:
    image = f"{MODEL}-api:wrong-clock"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(WRONG_CLOCK, encoding="utf-8")
        docker("build", "--quiet", "--tag", image, folder)
    clock = ("faketime", "-m", "--exclude-monotonic", "-f")
    run = ("run", "--detach", "--no-deps", "--use-aliases", "--rm", "api", *clock)
    serve = ("python", "-m", "app", "--host", "0.0.0.0", "--port", "8000")
    with breaking("two replicas' clocks are three days wrong, a promotion and a rollback") as broken:
        wrong = [deployment.compose(*run, days, *serve, API_IMAGE=image) for days in ("-3d", "+3d")]
        try:
            for version in (second_version, "1"):
                deployment.promote(version)
                deployment.wait_for(version)
                wait_until(partial(_all_serve, wrong, version), step=0.5)
            broken.healed()
            assert [_days_off(each) for each in wrong] == [-3, 3]
        finally:
            docker("stop", "--time", "40", *wrong)
    assert broken.clients.failures == []


def _all_serve(replicas: list[str], version: str) -> bool:
    return all(model_of(replica).get("version") == version for replica in replicas)


def _days_off(replica: str) -> int:
    loaded = datetime.fromisoformat(model_of(replica)["loaded_at"].replace("Z", "+00:00"))
    return round((loaded - datetime.now(timezone.utc)) / timedelta(days=1))


def test_an_empty_cache_is_filled_again(deployment: Deployment, breaking: Break) -> None:
    with breaking("the cache of models is wiped, replicas restart one after another") as broken:
        docker("exec", deployment.replicas()[0], "python", "-c", WIPE)
        for replica in deployment.replicas():
            docker("restart", "--time", "40", replica)
            deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def test_a_registry_that_was_wiped_is_filled_from_dvcs_cache(deployment: Deployment, breaking: Break) -> None:
    with breaking("MLflow's database and artifacts are wiped, then `run train`") as broken:
        deployment.compose("rm", "--stop", "--force", "mlflow", "postgres")
        docker("volume", "rm", f"{NAME}_postgres", f"{NAME}_artifacts")
        said = deployment.compose("run", "--rm", "-T", "train")
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []
    assert f"{MODEL} version 1" in said
    assert "Running stage 'train@lightfm'" not in said


def test_an_upgrade_to_what_does_not_start_changes_nothing(deployment: Deployment, breaking: Break) -> None:
    before = set(deployment.replicas())
    with breaking("scripts/upgrade.sh with a setting that the service refuses, twice") as broken:
        for _ in range(2):
            upgraded = deployment.script("upgrade", LOG_LEVEL="LOUD")
            assert upgraded.returncode == 1
            assert "LOG_LEVEL is 'LOUD'" in upgraded.stderr
            assert "the old ones go on serving" in upgraded.stderr
            assert before == set(deployment.compose("ps", "--all", "--quiet", "api").split())
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def test_who_recreates_all_replicas_at_once_makes_clients_wait(deployment: Deployment, breaking: Break) -> None:
    with breaking("all replicas are recreated at once (`up --force-recreate api`)") as broken:
        deployment.compose("up", "--detach", "--no-deps", "--force-recreate", "api")
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def test_after_a_restart_of_the_host_replicas_start_without_mlflow(deployment: Deployment) -> None:
    [start] = re.findall(r"`(docker compose up[^`]*)` starts them that way", PAGE.read_text(encoding="utf-8"))
    deployment.compose("stop")
    do(deployment, start)
    wait_until(lambda: answers(deployment.port, "/health/ready"))
    assert deployment.gateway.get("/users/42/recommendations").json["model_version"] == "1"
    deployment.compose("start", "postgres", "mlflow", "events-keeper")
    deployment.wait_for("1")


def test_after_a_restart_of_everything_all_answer_again(deployment: Deployment, breaking: Break) -> None:
    with breaking("everything restarts at once") as broken:
        deployment.compose("restart")
        deployment.wait_for("1")
        broken.healed()
    # Nobody listens while the gateway restarts; once it listens, it waits for a replica.
    assert not [failure for failure in broken.clients.failures if failure.startswith("503")]
