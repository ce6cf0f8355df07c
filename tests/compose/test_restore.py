"""A backup brings the registry back: versions, aliases, users and files."""

from pathlib import Path

import pytest

from tests.compose.deployment import MODEL, Deployment, docker

pytestmark = pytest.mark.compose


@pytest.fixture
def backup(deployment: Deployment, scratch: Path) -> Path:
    """One of a registry that knows the alias `kept`, below a folder that isn't there yet."""
    deployment.mlflow("admin", "registered-models/alias", {"name": MODEL, "alias": "kept", "version": "1"})
    folder = scratch / "backups" / "today"
    done = deployment.script("backup", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def aliases(deployment: Deployment) -> list[dict[str, str]]:
    status, model = deployment.mlflow("api", f"registered-models/get?name={MODEL}")
    assert status == 200, model
    found: list[dict[str, str]] = model["registered_model"]["aliases"]
    return found


@pytest.mark.parametrize("name", ["mlflow.dump", "artifacts.tar"])
def test_a_damaged_backup_changes_nothing(deployment: Deployment, backup: Path, name: str) -> None:
    before, content = aliases(deployment), (backup / name).read_bytes()
    (backup / name).write_bytes(content[: len(content) // 2])
    done = deployment.script("restore", str(backup))
    assert done.returncode == 1
    assert done.stderr.endswith(f"{name} is damaged: nothing was changed.\n")
    assert aliases(deployment) == before


def test_a_backup_is_never_written_over_another(deployment: Deployment, backup: Path) -> None:
    done = deployment.script("backup", str(backup))
    assert done.returncode == 1
    assert done.stderr == f"{backup} exists already: name a new folder.\n"


def test_a_registry_that_was_lost_comes_back_from_its_backup(deployment: Deployment, backup: Path) -> None:
    live = str(deployment.gateway.version())
    deployment.compose("rm", "--stop", "--force", "mlflow", "postgres")
    docker("volume", "rm", f"{deployment.name}_postgres", f"{deployment.name}_artifacts")
    done = deployment.script("restore", str(backup))
    assert done.returncode == 0, done.stderr
    assert {"alias": "kept", "version": "1"} in aliases(deployment)
    # The file itself, by a service that has nothing in its cache.
    deployment.compose("rm", "--stop", "--force", "api")
    docker("volume", "rm", f"{deployment.name}_api-cache")
    deployment.compose("up", "--detach", "--no-deps", "--wait", "api")
    deployment.wait_for(live)
