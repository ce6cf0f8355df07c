"""`make serve` ends whole, whenever and however often it is told to."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from scripts.programs import stop
from tests.processes import PROJECT, answers, free_port, wait_until

SERVE = "{python} -m scripts.serve --port {port} --mlflow-port {mlflow_port}"


class Serve:
    """`make serve` without the installation, in a process group of its own, as a terminal runs it."""

    def __init__(self, root: Path) -> None:
        self.root, self.ports = root, (free_port(), free_port())
        command = SERVE.format(python=sys.executable, port=self.ports[0], mlflow_port=self.ports[1])
        (root / "Makefile").write_text(f"serve:\n\t@{command}\n")
        self._output = (root / "output").open("wb")
        self.make = subprocess.Popen(
            ["make", "serve"], cwd=root, stdout=self._output, stderr=self._output, start_new_session=True
        )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return (self.root / "output").read_text()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the group: `make` sends SIGTERM on, so its child gets two."""
        os.killpg(self.make.pid, number)

    def is_gone(self) -> bool:
        """Whether no process of the project is left."""
        return not any(
            str(self.root) in found.info["cwd"] for found in psutil.process_iter(["cwd"]) if found.info["cwd"]
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
    for command in (["init", "--no-scm", "--quiet"], ["config", "--local", "core.no_scm", "true"]):
        subprocess.run([sys.executable, "-m", "dvc", *command], cwd=root, check=True)
    return root


@contextmanager
def serve(project: Path) -> Iterator[Serve]:
    started = Serve(project)
    try:
        yield started
    finally:
        started.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_second_signal_during_the_end_leaves_nothing_running(project: Path, number: signal.Signals) -> None:
    with serve(project) as serving:
        wait_until(lambda: "Ctrl-C ends both" in serving.output, seconds=120, step=0.1)
        assert all(answers(port, path) for port, path in zip(serving.ports, ("/health/live", "/health"), strict=True))
        serving.send(number)
        time.sleep(0.05)
        serving.send(number)
        serving.make.wait(30)
        wait_until(serving.is_gone, seconds=30, step=0.1)
        assert not any(answers(port, path) for port in serving.ports for path in ("/health/live", "/health"))
        assert "Stopped." in serving.output
        assert "Traceback" not in serving.output


def test_ctrl_c_before_the_servers_are_up_leaves_nothing_running(project: Path) -> None:
    with serve(project) as serving:
        wait_until((project / ".cache" / "mlflow.log").exists, seconds=120)
        serving.send(signal.SIGINT)
        serving.make.wait(30)
        wait_until(serving.is_gone, seconds=30, step=0.1)
        assert "Traceback" not in serving.output


def test_ctrl_c_ends_the_pipeline_and_what_it_has_started(project: Path) -> None:
    (project / "dvc.yaml").write_text("stages: {slow: {cmd: 'touch started && sleep 600'}}\n")
    with serve(project) as serving:
        wait_until((project / "started").exists, seconds=60)
        serving.send(signal.SIGINT)
        serving.make.wait(30)
        wait_until(serving.is_gone, seconds=30, step=0.1)
        assert "Traceback" not in serving.output
        (project / "dvc.yaml").write_text("stages: {}\n")
        subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet"], cwd=project, check=True)
