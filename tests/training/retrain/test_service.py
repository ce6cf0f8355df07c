"""The program with a real DVC project that takes no time, or as long as the test wants."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.metrics import samples
from tests.processes import PROJECT, free_port, process, wait_until
from training.retrain import pipeline
from training.retrain.metrics import RetrainMetrics
from training.retrain.pipeline import Pipeline
from training.retrain.service import _run

# Every two seconds, which no expression of cron can say.
PROGRAM = """
import datetime, pathlib, sys
from apscheduler.triggers.cron import CronTrigger
from training.retrain.service import serve
serve(pathlib.Path.cwd(), CronTrigger(second="*/2", timezone=datetime.timezone.utc), "127.0.0.1", int(sys.argv[1]))
"""
STAGE = "stages: {work: {cmd: sh work.sh, always_changed: true}}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose only stage is the file work.sh."""
    root = tmp_path / "a project"
    root.mkdir()
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], cwd=root, check=True)
    (root / "dvc.yaml").write_text(STAGE)
    return root


@contextmanager
def retraining(root: Path) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """The port of its metrics, and the program; killed at the end if it still runs."""
    port = free_port()
    with (root.parent / "log").open("a") as log, subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port)],
        cwd=root, env={**os.environ, "PYTHONPATH": str(PROJECT)}, stdout=log, stderr=log, text=True,
    ) as program:  # fmt: skip
        try:
            yield port, program
        finally:
            program.kill()


def metric(port: int, name: str) -> float:
    """A value, or -1 while there is no answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return samples(answer.read().decode())[f"recommender_retrain_{name}"]
    except OSError:
        return -1


@pytest.mark.long
def test_a_failed_run_is_counted_and_the_schedule_goes_on(root: Path) -> None:
    (root / "work.sh").write_text("exit 3\n")
    with retraining(root) as (port, program):
        wait_until(lambda: metric(port, "failures_total") >= 1)
        assert metric(port, "last_exit_code") != 0
        began = metric(port, "last_success_timestamp_seconds")
        (root / "work.sh").write_text("exit 0\n")
        wait_until(lambda: metric(port, "last_success_timestamp_seconds") > began)
        assert metric(port, "last_exit_code") == 0
        assert metric(port, "last_duration_seconds") > 0
        assert metric(port, "period_seconds") == 2
        program.send_signal(signal.SIGTERM)
        assert program.wait(60) == 0
    log = (root.parent / "log").read_text()
    assert "ERROR training.retrain.service: dvc repro failed with exit code" in log
    assert "dvc repro succeeded in" in log


@pytest.mark.long
def test_sigterm_ends_a_run_at_once_and_leaves_the_project_free_for_another(root: Path) -> None:
    (root / "work.sh").write_text("touch began; exec sleep 300\n")
    with retraining(root) as (port, program):
        wait_until(lambda: (root / "began").exists())
        assert metric(port, "running") == 1
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    assert not [found for found in psutil.process_iter(["cwd"]) if (found.info["cwd"] or "") == str(root)]
    assert "the run was stopped after" in (root.parent / "log").read_text()
    (root / "work.sh").write_text("exit 0\n")
    subprocess.run([sys.executable, "-m", "dvc", "repro"], cwd=root, check=True)


@pytest.mark.long
def test_what_falls_into_a_run_is_left_out(root: Path) -> None:
    (root / "work.sh").write_text("echo begin >> runs; sleep 5; echo end >> runs\n")
    with retraining(root) as (port, program):
        wait_until(lambda: metric(port, "last_duration_seconds") > 5)
        wait_until(lambda: (root / "runs").read_text().count("begin") >= 2)
        program.send_signal(signal.SIGTERM)
        assert program.wait(30) == 0
    lines = (root / "runs").read_text().split()
    assert lines[:4] in (["begin", "end", "begin"], ["begin", "end", "begin", "end"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--cron", "0 4 * * 0"], "retrain: RETRAIN_CRON '0 4 * * 0' has a number for the day of the week"),
        ([], "the following arguments are required: --cron"),
    ],
)
def test_the_command_refuses_what_would_not_run_with_one_sentence(options: list[str], sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training", "retrain", *options],
        cwd=PROJECT, env={**os.environ, "RETRAIN_CRON": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_takes_its_schedule_from_the_environment(tmp_path: Path) -> None:
    port = free_port()
    command = ["training", "retrain", "--port", str(port)]
    with process(command, {"RETRAIN_CRON": "0 4 * * *"}, tmp_path / "log") as program:
        wait_until(lambda: metric(port, "period_seconds") == 24 * 3600)
        program.terminate()
        assert program.wait(30) == 0
    log = (tmp_path / "log").read_text()
    assert re.search(r"the next run is at \S+ 04:00:00", log)
    assert "training.retrain.service" not in log  # it would tell of a run


def test_a_run_is_timed_and_one_that_was_stopped_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "COMMAND", (sys.executable, "-c", ""))
    metrics, began = RetrainMetrics(1), time.monotonic()
    once = Pipeline(tmp_path)
    _run(once, metrics)
    assert (
        0
        < (metrics.collectors.get_sample_value("recommender_retrain_last_duration_seconds") or 0)
        < (time.monotonic() - began)
    )
    once.stop()
    _run(once, metrics)
    assert metrics.collectors.get_sample_value("recommender_retrain_failures_total") == 0
    assert metrics.collectors.get_sample_value("recommender_retrain_last_exit_code") == 0


def test_a_run_that_cannot_be_started_is_a_failed_one(tmp_path: Path) -> None:
    metrics = RetrainMetrics(1)
    _run(Pipeline(tmp_path / "no such folder"), metrics)
    assert metrics.collectors.get_sample_value("recommender_retrain_running") == 0
    assert metrics.collectors.get_sample_value("recommender_retrain_failures_total") == 1
    assert metrics.collectors.get_sample_value("recommender_retrain_last_exit_code") == 127
