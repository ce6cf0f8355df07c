"""docker-compose.yml and its settings, as far as they can be checked without an engine."""

import json
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.marks import long
from tests.processes import PROJECT

Services = Callable[..., dict[str, Any]]
PROFILES = ("s3", "monitoring", "train", "retrain", "trial", "spark")


def write_env(folder: Path) -> subprocess.CompletedProcess[str]:
    for name in (".env.example", "docker-compose.yml"):
        shutil.copy(PROJECT / name, folder)
    command = ["sh", "scripts/env.sh", str(folder)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@cache
def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


def config(env_file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    if not has_compose():
        pytest.skip("There is no Docker client with Compose here.")
    command = ["docker", "compose", "--env-file", str(env_file), *options, "config", "--format", "json"]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """The services of some profiles, as Compose reads them with a new `.env`."""

    @cache
    def read(*profiles: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("env")
        write_env(folder)
        done = config(folder / ".env", *(f"--profile={profile}" for profile in profiles))
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)["services"]
        return found

    return read


def secrets(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in (folder / "secrets").iterdir()}


def test_each_password_is_random_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    assert write_env(tmp_path).returncode == 0
    values = [value for value in secrets(tmp_path).values() if value]
    assert len(set(values)) == len(values) == 12
    assert all(len(value) == 48 for value in values)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("secrets", ".env")] == [0o700, 0o600]
    # The users of containers.
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()} == {0o644}


def test_spark_gets_its_options_as_it_reads_them_and_a_folder_from_which_it_runs_libraries(services: Services) -> None:
    programs = {name: service for name, service in services("spark").items() if name.startswith("spark-")}
    assert set(programs) == {"spark-master", "spark-worker", "spark-train"}
    for service in programs.values():
        assert not any(part.startswith("--") and "=" in part for part in service["command"])
        assert service["tmpfs"] == ["/tmp:exec"]  # noqa: S108 - of a container


def test_spark_s_workers_have_one_address_and_reach_the_events(services: Services) -> None:
    found = services("spark")
    assert set(found["spark-worker"]["networks"]) == set(found["spark-master"]["networks"]) == {"spark"}
    assert set(found["postgres"]["networks"]) == {"storage", "events", "spark"}


def test_what_keeps_no_client_waiting_gives_way_where_the_processor_is_short(services: Services) -> None:
    found = services(*PROFILES)
    give_way = {name for name, service in found.items() if service.get("cpu_shares", 1024) < 1024}
    assert {"mlflow", "train", "retrain", "spark-train", "bootstrap"} <= give_way
    assert give_way.isdisjoint({"api", "gateway", "postgres"})


def test_what_is_there_is_not_overwritten_and_what_is_new_is_added(tmp_path: Path) -> None:
    write_env(tmp_path)
    with (tmp_path / ".env").open("a", encoding="utf-8") as file:
        file.write("PORT=8001")
    env, before = (tmp_path / ".env").read_bytes(), secrets(tmp_path)
    (tmp_path / "secrets" / "S3_SECRET_KEY").unlink()
    done = write_env(tmp_path)
    assert (done.returncode, done.stdout) == (0, "Wrote secrets/S3_SECRET_KEY\n")
    assert (tmp_path / ".env").read_bytes() == env
    after = secrets(tmp_path)
    assert after.pop("S3_SECRET_KEY") != before.pop("S3_SECRET_KEY")
    assert after == before


def test_passwords_of_a_deployment_from_before_move_to_their_files(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=old\nPORT=1\nADMIN_TOKEN=a\nADMIN_TOKEN=b", encoding="utf-8")
    assert write_env(tmp_path).returncode == 0
    found = secrets(tmp_path)
    assert (found["POSTGRES_PASSWORD"], found["ADMIN_TOKEN"], found["API_KEYS"]) == ("old", "b", "")
    assert len(found["EVENTS_KEEPER_PASSWORD"]) == 48
    assert (tmp_path / ".env").read_text(encoding="utf-8") == "PORT=1\n"


@pytest.mark.parametrize("sign", "#$'\" ")
def test_a_password_in_env_that_compose_may_have_read_in_another_way_is_left_to_a_person(
    tmp_path: Path, sign: str
) -> None:
    (tmp_path / ".env").write_text(f"S3_SECRET_KEY=sixteen{sign}letters\n", encoding="utf-8")
    done = write_env(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(".env: S3_SECRET_KEY: write its value to secrets/S3_SECRET_KEY as it is")
    assert (tmp_path / ".env").read_text(encoding="utf-8") == f"S3_SECRET_KEY=sixteen{sign}letters\n"


@pytest.mark.parametrize("profile", [*long(PROFILES), "none"])
def test_the_compose_file_is_valid_with_each_profile(services: Services, profile: str) -> None:
    assert {"postgres", "mlflow", "api", "gateway"} <= services(profile).keys()


def test_no_variable_holds_a_secret(services: Services) -> None:
    for name, service in services(*PROFILES).items():
        found = {variable: str(value) for variable, value in service.get("environment", {}).items()}
        assert not [each for each in found if each.endswith(("PASSWORD", "_KEY", "_KEYS", "TOKEN", "SECRET"))], name
        assert not [value for value in found.values() if "postgresql://" in value and ":" in value[13:]], name


def test_each_service_has_limits_of_memory_and_processes_and_a_pinned_image(services: Services) -> None:
    for name, service in services(*PROFILES).items():
        limits = service["deploy"]["resources"]["limits"]
        assert int(limits["memory"]) > 0, name
        # Threads count, too.
        assert limits["pids"] > 0, name
        tag = service["image"].rpartition(":")[2]
        assert tag not in ("latest", service["image"]), name


def test_only_the_three_pages_are_published_and_only_here(services: Services) -> None:
    published = {name: port["host_ip"] for name, each in services(*PROFILES).items() for port in each.get("ports", ())}
    assert published == {"gateway": "127.0.0.1", "mlflow": "127.0.0.1", "grafana": "127.0.0.1"}


def test_the_service_gets_no_key_of_the_store(services: Services) -> None:
    sources = {secret["source"] for secret in services()["api"]["secrets"]}
    of_clients = {"API_KEYS", "EVENTS_KEYS", "CATALOGUE_KEYS", "ADMIN_TOKEN"}
    assert sources == {"MLFLOW_API_PASSWORD", "EVENTS_SERVICE_PASSWORD", *of_clients}


def test_each_service_reaches_events_by_its_own_role_or_not_at_all(services: Services) -> None:
    found = services(*PROFILES)
    roles = {
        name: service["environment"]["EVENTS_URL"].partition("//")[2].partition("@")[0]
        for name, service in found.items()
        if "EVENTS_URL" in service.get("environment", ())
    }
    training = dict.fromkeys(("bootstrap", "train", "retrain", "trial", "spark-train"), "events_training")
    assert roles == {"api": "events_service", "events-keeper": "events_keeper", **training}
    on_network = {name for name, service in found.items() if "events" in service["networks"]}
    assert on_network == {*roles, "postgres", "events-database"}


def test_mlflow_starts_again_with_another_postgresql_to_which_its_connections_do_not_lead(services: Services) -> None:
    assert services()["mlflow"]["depends_on"]["postgres"]["restart"] is True


def test_the_service_and_the_keeper_are_not_where_mlflow_s_files_are(services: Services) -> None:
    found = services()
    assert set(found["api"]["networks"]) == {"registry", "events", "web"}
    assert set(found["events-keeper"]["networks"]) == {"events"}
