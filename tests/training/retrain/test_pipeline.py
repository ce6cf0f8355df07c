"""A run waits while somebody else trains on the same data."""

import fcntl
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from tests.processes import wait_until
from training.retrain import pipeline
from training.retrain.pipeline import Pipeline


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IO[str]]:
    """A file that somebody else has locked; what the pipeline runs makes the file `done` beside it."""
    monkeypatch.setattr(pipeline, "COMMAND", (sys.executable, "-c", "open('done', 'w').close()"))
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def waits(lock: IO[str]) -> bool:
    """Whether a process waits for the lock."""
    inode = Path(lock.name).stat().st_ino
    return any("->" in line and f":{inode} " in line for line in Path("/proc/locks").read_text().splitlines())


def test_it_begins_when_the_other_one_ends(lock: IO[str], tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        code = pool.submit(Pipeline(tmp_path, Path(lock.name)).run)
        wait_until(lambda: waits(lock))
        assert not (tmp_path / "done").exists()
        fcntl.flock(lock, fcntl.LOCK_UN)
        assert code.result() == 0
    assert (tmp_path / "done").exists()


def test_waiting_is_stopped_like_a_run(lock: IO[str], tmp_path: Path) -> None:
    waiting = Pipeline(tmp_path, Path(lock.name))
    with ThreadPoolExecutor(1) as pool:
        code = pool.submit(waiting.run)
        wait_until(lambda: waits(lock))
        waiting.stop()
        assert code.result() != 0
    assert not (tmp_path / "done").exists()


def test_after_stop_nothing_runs_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "COMMAND", (sys.executable, "-c", "open('done', 'w').close()"))
    stopped = Pipeline(tmp_path)
    assert not stopped.stopped
    stopped.stop()
    assert stopped.stopped
    assert stopped.run() == 1
    assert not (tmp_path / "done").exists()


DEAF = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
open("began", "w").close()
time.sleep(60)
"""


def test_a_run_that_does_not_end_by_itself_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "COMMAND", (sys.executable, "-c", DEAF))
    monkeypatch.setattr(pipeline, "STOP_SECONDS", 0.2)
    running = Pipeline(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        code = pool.submit(running.run)
        wait_until(lambda: (tmp_path / "began").exists())
        running.stop()
        assert code.result() == -signal.SIGKILL


CLEANS_UP = """
import time
try:
    open("began", "w").close()
    time.sleep(60)
finally:
    time.sleep(0.5)
    open("cleaned", "w").close()
"""


def test_a_run_that_has_the_lock_is_given_time_to_clean_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "COMMAND", (sys.executable, "-c", CLEANS_UP))
    running = Pipeline(tmp_path, tmp_path / "lock")
    with ThreadPoolExecutor(1) as pool:
        code = pool.submit(running.run)
        wait_until(lambda: (tmp_path / "began").exists())
        running.stop()
        assert code.result() != 0
    assert (tmp_path / "cleaned").exists()
