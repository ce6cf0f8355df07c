"""Passwords and keys: who holds which, who is told them, and how one is changed."""

import subprocess

import pytest

from tests.compose.conftest import Break
from tests.compose.deployment import NAME, STRANGE, Deployment, docker
from tests.compose.page import do, ways
from tests.processes import PROJECT, wait_until

pytestmark = pytest.mark.compose
HELD = {
    "api": {"MLFLOW_TRACKING_PASSWORD", "PGPASSWORD", "API_KEYS", "EVENTS_KEYS", "CATALOGUE_KEYS", "ADMIN_TOKEN"},
    "events-keeper": {"PGPASSWORD"},
    "gateway": set(),
}
CHANGED = ("EVENTS_SERVICE_PASSWORD", "EVENTS_KEEPER_PASSWORD", "MLFLOW_API_PASSWORD")


@pytest.mark.parametrize("service", HELD)
def test_each_service_holds_its_own_secrets_and_may_not_change_them(deployment: Deployment, service: str) -> None:
    found = docker("exec", deployment.container(service), "sh", "-c", "ls /run/secrets 2>/dev/null || true")
    assert set(found.split()) == HELD[service]
    writable = docker("exec", deployment.container(service), "find", "/run", "-type", "f", "-writable")
    assert not [file for file in writable.splitlines() if "secrets" in file]


def test_the_engine_tells_no_secret(deployment: Deployment) -> None:
    told = docker("inspect", *deployment.compose("ps", "--all", "--quiet").split())
    files = list((deployment.folder / "secrets").iterdir())
    assert len(files) == 16
    assert not [file.name for file in files if (secret := file.read_text(encoding="utf-8")) and secret in told]


def test_without_secrets_nothing_starts(deployment: Deployment) -> None:
    files = ("--project-directory", str(PROJECT / "tests"), "--file", str(PROJECT / "docker-compose.yml"))
    command = ["docker", "compose", *files, "--project-name", f"{NAME}-bare", "up", "--no-start", "postgres"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    down = ["docker", "compose", *files, "--project-name", f"{NAME}-bare", "down", "--volumes"]
    subprocess.run(down, capture_output=True, check=True)
    assert done.returncode
    assert "secrets/POSTGRES_PASSWORD" in done.stderr


def test_passwords_of_any_signs_are_changed_as_the_page_says(deployment: Deployment, breaking: Break) -> None:
    with breaking("three passwords change, of the service and the keeper; `make up`, then the restart") as happening:
        for name in CHANGED:
            (deployment.folder / "secrets" / name).write_text(f"another {STRANGE}", encoding="utf-8")
        do(deployment, *ways("a new password or key"))
        deployment.wait_for("1")
        wait_until(deployment.know_events, step=0.5)
        happening.healed()
    assert happening.clients.failures == []
    keeper = deployment.container("events-keeper")
    started = docker("inspect", "--format", "{{.State.StartedAt}}", keeper)
    wait_until(lambda: "Deleted" in docker("logs", "--since", started, keeper), step=0.5)
