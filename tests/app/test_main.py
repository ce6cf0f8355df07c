import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.artifacts import damage, make_artifact, write
from tests.client import put_in_cache
from tests.conftest import MakeSettings
from tests.processes import PROJECT, free_port, wait_until
from tests.registry import TestRegistry
from tests.service import Asking, changes, polls, serves, service, wait_for_polls


def test_the_help_asks_for_no_application() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "app", "--help"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("Usage: python -m app [OPTIONS]\n")


def test_the_service_follows_the_alias_without_failing_a_request(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    with service(make_settings(registry), tmp_path / "log") as (client, _):
        assert client.get("/health/ready").status == 503
        registry.register(alias="production")
        wait_until(serves(client, "1"))
        askers = [Asking(client) for _ in range(3)]
        for asker in askers:
            asker.start()
        for version in ("2", "3"):
            assert registry.register(write(tmp_path / version, make_artifact(seed=int(version)))) == version
            registry.move("production", version)
            wait_until(serves(client, version))
        damage(write(tmp_path / "damaged", make_artifact(seed=4)) / "item_biases.npy")
        registry.register(tmp_path / "damaged", alias="production")
        wait_until(lambda: client.get("/model").json["registry"]["status"] == "artifact_refused")
        registry.move("production", "1")
        wait_until(serves(client, "1"))
        for answered in [asker.stop() for asker in askers]:
            assert {status for status, _ in answered} == {200}
            assert changes(answered) == ["2", "3", "1"]
        answer = client.get("/model").json
    assert answer["last_problem"]["version"] == "4"
    assert answer["last_problem"]["message"].startswith("item_biases.npy does not have the SHA-256")


def test_the_last_good_version_answers_before_the_registry_does(make_settings: MakeSettings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = make_settings(mlflow_tracking_uri=uri, registry_timeout_seconds=60)
        put_in_cache(settings, write(tmp_path / "served"), "5")
        with service(settings, tmp_path / "log") as (client, _):
            assert client.get("/users/1/recommendations").json["model_version"] == "5"
            assert polls(client) == 0


@pytest.mark.long
def test_log_lines_are_short_and_plain(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings()
    put_in_cache(settings, write(tmp_path / "served"), "5")
    with service(settings, tmp_path / "log") as (client, _):
        wait_for_polls(client, 5)
    lines = [line.split(" ", 2)[2] for line in (tmp_path / "log").read_text().splitlines() if " app.registry." in line]
    assert lines[0] == "INFO app.registry.loader: Serving version 5 from the cache"
    assert lines[1].startswith("WARNING app.registry.follower: Still serving version 5: MLflow at http://127.0.0.1:")
    assert len(lines) == 2
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.long
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_registry_that_hangs_does_not_delay_the_end(
    make_settings: MakeSettings, tmp_path: Path, stop: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(20)
        settings = make_settings(
            mlflow_tracking_uri=f"http://127.0.0.1:{silent.getsockname()[1]}", registry_timeout_seconds=60
        )
        with service(settings, tmp_path / "log") as (client, running):
            hanging, _ = silent.accept()
            with hanging:
                assert client.get("/health/ready").status == 503
                running.send_signal(stop)
                running.wait(20)  # a third of the registry's time


@pytest.mark.long
def test_a_bad_setting_ends_the_process_with_one_sentence() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "app", "--port", str(free_port())],
        env={"MODEL_POLL_SECONDS": "soon"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "The environment variable MODEL_POLL_SECONDS is 'soon': "
        "Input should be a valid number, unable to parse string as a number.\n"
    )


@pytest.mark.long
def test_the_service_needs_neither_mlflow_nor_training_to_be_imported() -> None:
    code = "import sys, app.main; print({'mlflow', 'training', 'scipy', 'pandas'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


@pytest.mark.long
def test_garbage_is_collected_from_the_end_of_the_imports_on() -> None:
    code = (
        "import gc, app.__main__; off = not gc.isenabled(); "
        "from app.main import create_app; create_app(); sys.exit(not (off and gc.isenabled()))"
    )
    subprocess.run([sys.executable, "-c", f"import sys; {code}"], cwd=PROJECT, check=True)
