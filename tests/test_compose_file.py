"""docker-compose.yml and its settings, as far as they can be checked without an engine."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.processes import PROJECT

PROFILES = ("s3", "monitoring", "train", "retrain", "trial", "spark")


def write_env(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(PROJECT / ".env.example", folder)
    command = ["sh", "scripts/env.sh", str(folder)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def config(env_file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    found = (
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if shutil.which("docker")
        else None
    )
    if found is None or found.returncode:
        pytest.skip("There is no Docker client with Compose here.")
    command = ["docker", "compose", "--env-file", str(env_file), *options, "config", "--format", "json"]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def services(folder: Path, *profiles: str) -> dict[str, Any]:
    write_env(folder)
    done = config(folder / ".env", *(f"--profile={profile}" for profile in profiles))
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_each_password_is_random_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    assert write_env(tmp_path).returncode == 0
    lines = (tmp_path / ".env").read_text(encoding="utf-8").splitlines()
    values = [line.partition("=")[2] for line in lines if "PASSWORD=" in line or "KEY=" in line or "SECRET=" in line]
    assert len(set(values)) == len(values) == 12
    assert all(len(value) == 48 for value in values)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_spark_gets_its_options_as_it_reads_them_and_a_folder_from_which_it_runs_libraries(tmp_path: Path) -> None:
    programs = {name: service for name, service in services(tmp_path, "spark").items() if name.startswith("spark-")}
    assert set(programs) == {"spark-master", "spark-worker", "spark-train"}
    for service in programs.values():
        assert not any(part.startswith("--") and "=" in part for part in service["command"])
        assert service["tmpfs"] == ["/tmp:exec"]  # noqa: S108 - of a container


def test_spark_s_workers_have_one_address_and_reach_the_events(tmp_path: Path) -> None:
    found = services(tmp_path, "spark")
    assert set(found["spark-worker"]["networks"]) == set(found["spark-master"]["networks"]) == {"spark"}
    assert set(found["postgres"]["networks"]) == {"storage", "events", "spark"}


def test_passwords_in_use_are_not_overwritten(tmp_path: Path) -> None:
    write_env(tmp_path)
    before = (tmp_path / ".env").read_bytes()
    done = write_env(tmp_path)
    assert done.returncode == 1
    assert ".env exists already" in done.stderr
    assert (tmp_path / ".env").read_bytes() == before


def test_a_deployment_from_before_gets_the_passwords_that_are_new(tmp_path: Path) -> None:
    write_env(tmp_path)
    lines = (tmp_path / ".env").read_text(encoding="utf-8").splitlines()
    before = "\n".join(line for line in lines if not line.startswith("EVENTS_"))
    (tmp_path / ".env").write_text(before, encoding="utf-8")
    done = write_env(tmp_path)
    names = ["EVENTS_SERVICE_PASSWORD", "EVENTS_TRAINING_PASSWORD", "EVENTS_KEEPER_PASSWORD"]
    assert (done.returncode, done.stdout) == (0, f"Added to .env: {' '.join(names)}\n")
    after = (tmp_path / ".env").read_text(encoding="utf-8")
    added = [line.partition("=") for line in after.removeprefix(f"{before}\n").splitlines()]
    assert [name for name, _, _ in added] == names
    assert len({password for _, _, password in added}) == 3
    assert all(len(password) == 48 for _, _, password in added)


@pytest.mark.parametrize("sign", "#@/$'\" ")
def test_a_password_that_somebody_would_read_in_another_way_is_refused(tmp_path: Path, sign: str) -> None:
    write_env(tmp_path)
    with (tmp_path / ".env").open("a", encoding="utf-8") as file:
        file.write(f"S3_SECRET_KEY=sixteen{sign}letters\n")
    done = write_env(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(".env: S3_SECRET_KEY: a password may hold letters, digits, - and _")


@pytest.mark.parametrize("profile", [*PROFILES, "none"])
def test_the_compose_file_is_valid_with_each_profile(tmp_path: Path, profile: str) -> None:
    assert {"postgres", "mlflow", "api", "gateway"} <= services(tmp_path, profile).keys()


def test_without_passwords_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    done = config(tmp_path / ".env")
    assert done.returncode
    assert "run make env" in done.stderr


def test_each_service_has_limits_of_memory_and_processes_and_a_pinned_image(tmp_path: Path) -> None:
    for name, service in services(tmp_path, *PROFILES).items():
        limits = service["deploy"]["resources"]["limits"]
        assert int(limits["memory"]) > 0, name
        # Threads count, too.
        assert limits["pids"] > 0, name
        tag = service["image"].rpartition(":")[2]
        assert tag not in ("latest", service["image"]), name


def test_only_the_three_pages_are_published_and_only_here(tmp_path: Path) -> None:
    published = {
        name: port["host_ip"] for name, each in services(tmp_path, *PROFILES).items() for port in each.get("ports", ())
    }
    assert published == {"gateway": "127.0.0.1", "mlflow": "127.0.0.1", "grafana": "127.0.0.1"}


def test_the_service_gets_no_key_of_the_store(tmp_path: Path) -> None:
    assert not [name for name in services(tmp_path)["api"]["environment"] if name.startswith(("AWS", "S3", "PG"))]


def test_each_service_reaches_events_by_its_own_role_or_not_at_all(tmp_path: Path) -> None:
    found = services(tmp_path, *PROFILES)
    roles = {
        name: service["environment"]["EVENTS_URL"].partition("//")[2].partition(":")[0]
        for name, service in found.items()
        if "EVENTS_URL" in service.get("environment", ())
    }
    training = dict.fromkeys(("bootstrap", "train", "retrain", "trial", "spark-train"), "events_training")
    assert roles == {"api": "events_service", "events-keeper": "events_keeper", **training}
    on_network = {name for name, service in found.items() if "events" in service["networks"]}
    assert on_network == {*roles, "postgres", "events-database"}


def test_the_service_and_the_keeper_are_not_where_mlflow_s_files_are(tmp_path: Path) -> None:
    found = services(tmp_path)
    assert set(found["api"]["networks"]) == {"registry", "events", "web"}
    assert set(found["events-keeper"]["networks"]) == {"events"}
