"""What clients notice while parts of the deployment are broken, and that all is well again afterwards."""

import contextlib
import time

import pytest

from tests.compose.conftest import Break
from tests.compose.deployment import MODEL, NAME, Deployment, docker

pytestmark = pytest.mark.compose
DOWN_SECONDS = 15
CRASH = "import os; [os.kill(int(p), 9) for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, os.getpid())]"
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


def test_a_replica_that_hangs_costs_patience_but_no_answer(deployment: Deployment, breaking: Break) -> None:
    replica = deployment.replicas()[0]
    with breaking("a replica hangs for 20 s") as broken:
        docker("pause", replica)
        time.sleep(20)
        docker("unpause", replica)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


@pytest.mark.parametrize("service", ["mlflow", "postgres"])
def test_what_the_service_follows_may_be_down(deployment: Deployment, breaking: Break, service: str) -> None:
    with breaking(f"{service} is stopped for 15 s") as broken:
        deployment.compose("stop", service)
        time.sleep(DOWN_SECONDS)
        deployment.compose("start", service)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


def test_mlflow_may_be_out_of_reach(deployment: Deployment, breaking: Break) -> None:
    network, mlflow = f"{NAME}_registry", deployment.container("mlflow")
    with breaking("MLflow is cut off its network for 15 s") as broken:
        docker("network", "disconnect", network, mlflow)
        time.sleep(DOWN_SECONDS)
        docker("network", "connect", "--alias", "mlflow", network, mlflow)
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []


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


def test_an_upgrade_of_the_service_is_noticed_by_nobody(deployment: Deployment, breaking: Break) -> None:
    before = set(deployment.replicas())
    with breaking("scripts/upgrade.sh replaces all replicas") as broken:
        upgraded = deployment.script("upgrade")
        assert upgraded.returncode == 0, upgraded.stderr
        deployment.wait_for("1")
        broken.healed()
    assert broken.clients.failures == []
    assert not before & set(deployment.replicas())


def test_an_upgrade_to_what_does_not_start_changes_nothing(deployment: Deployment, breaking: Break) -> None:
    before = set(deployment.replicas())
    with breaking("scripts/upgrade.sh with a setting that the service refuses") as broken:
        upgraded = deployment.script("upgrade", LOG_LEVEL="LOUD")
        deployment.wait_for("1")
        broken.healed()
    assert upgraded.returncode == 1
    assert "LOG_LEVEL" in upgraded.stderr
    assert "the old ones go on serving" in upgraded.stderr
    assert broken.clients.failures == []
    assert before == set(deployment.compose("ps", "--all", "--quiet", "api").split())


def test_who_recreates_all_replicas_at_once_pauses(deployment: Deployment, breaking: Break) -> None:
    with breaking("all replicas are recreated at once (`up --force-recreate api`)") as broken:
        deployment.compose("up", "--detach", "--no-deps", "--force-recreate", "api")
        deployment.wait_for("1")
        broken.healed()
    assert all(failure.startswith("503 ") for failure in broken.clients.failures)


def test_after_a_restart_of_everything_all_answer_again(deployment: Deployment, breaking: Break) -> None:
    with breaking("everything restarts at once") as broken:
        deployment.compose("restart")
        deployment.wait_for("1", seconds=120)
        broken.healed()
