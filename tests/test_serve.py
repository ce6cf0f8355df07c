"""`make serve` stops everything, whenever and however often it is told to stop."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from scripts.programs import stop
from tests.client import Client
from tests.processes import PROJECT, answers, free_port, wait_until

SERVE = "'{python}' -m scripts.serve --port {port} --mlflow-port {mlflow_port}"


class Serve:
    """`make serve` without the installation, in a process group of its own, as a terminal runs it."""

    def __init__(self, root: Path) -> None:
        self.root, self.ports = root, (free_port(), free_port())
        command = SERVE.format(python=sys.executable, port=self.ports[0], mlflow_port=self.ports[1])
        (root / "Makefile").write_text(f"serve:\n\t@{command}\n")
        self._output = (root / "output").open("wb")
        variables = {name: value for name, value in os.environ.items() if name != "EVENTS_URL"}  # as a person has them
        self.make = subprocess.Popen(
            ["make", "serve"],
            cwd=root, env=variables, stdout=self._output, stderr=self._output, start_new_session=True,
        )  # fmt: skip

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return (self.root / "output").read_text()

    def send_twice(self, number: signal.Signals) -> None:
        """Send a signal to the group twice; `make` sends each SIGTERM to its child once more."""
        os.killpg(self.make.pid, number)
        time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(self.make.pid, number)

    def wait_until_gone(self) -> None:
        """Return once no process runs in the project's folder."""
        self.make.wait(30)
        wait_until(
            lambda: str(self.root) not in {found.info["cwd"] for found in psutil.process_iter(["cwd"])}, step=0.1
        )

    def close(self) -> None:
        """Stop what a test has left."""
        stop(self.make)
        self._output.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The service and MLflow with a pipeline of no stages."""
    root = tmp_path / "project"
    for name in ("app", "scripts"):
        shutil.copytree(PROJECT / name, root / name)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = true\n")
    return root


@contextmanager
def serve(project: Path) -> Iterator[Serve]:
    started = Serve(project)
    try:
        yield started
    finally:
        started.close()


@pytest.mark.long
def test_a_second_signal_while_all_stops_leaves_nothing_running(project: Path) -> None:
    with serve(project) as serving:
        wait_until(lambda: "Ctrl-C ends both" in serving.output, step=0.1)
        assert all(answers(port, path) for port, path in zip(serving.ports, ("/health/live", "/health"), strict=True))
        # There is a store of events; what lacks is a model that knows the films.
        sent = Client(serving.ports[0]).post("/events", {"events": [{"user_id": 1, "item_id": 1, "type": "like"}]})
        assert sent.json["error"]["code"] == "no_model"
        serving.send_twice(signal.SIGTERM)
        serving.wait_until_gone()
        assert not any(answers(port, path) for port in serving.ports for path in ("/health/live", "/health"))
        assert "Stopped." in serving.output
        assert "Traceback" not in serving.output


@pytest.mark.long
def test_ctrl_c_before_the_servers_are_up_leaves_nothing_running(project: Path) -> None:
    with serve(project) as serving:
        wait_until((project / ".cache" / "mlflow.log").exists)
        serving.send_twice(signal.SIGINT)
        serving.wait_until_gone()
        assert "Traceback" not in serving.output


@pytest.mark.long
def test_ctrl_c_ends_the_pipeline_and_what_it_has_started(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: {slow: {cmd: 'touch started && sleep 600'}}\n")
    with serve(project) as serving:
        wait_until((project / "started").exists)
        serving.send_twice(signal.SIGINT)
        serving.wait_until_gone()
        assert "Traceback" not in serving.output
        (project / "dvc.yaml").write_text("stages: {}\n")
        subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet"], cwd=project, check=True)
