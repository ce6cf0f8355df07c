"""What all workers of a run of tests share: the first to come makes it, the last to go takes it away."""

import fcntl
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.processes import PROJECT, answers, free_port, wait_until

Made = TypeVar("Made")

# Python warns of a process that is forgotten while it runs; another worker may have to end it.
_started: list["subprocess.Popen[bytes]"] = []


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make a folder unless it exists, and keep other workers away from it."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(folder: Path, make: Callable[[Path], Made]) -> Made:
    """What one worker makes in a new folder, and tells the others of."""
    with locked(folder):
        if not (told := folder / "made").exists():
            told.write_bytes(pickle.dumps(make(folder)))
        made: Made = pickle.loads(told.read_bytes())  # noqa: S301 - a worker wrote it
    return made


@contextmanager
def shared_mlflow(home: Path) -> Iterator[str]:
    """The address of a real MLflow server whose files are in a folder."""
    state = home / "state.json"
    with locked(home):
        if not state.exists():
            state.write_text(json.dumps(_start_mlflow(home)))
        server = _count_users(state, 1)
    try:
        yield server["address"]
    finally:
        with locked(home):
            if _count_users(state, -1)["users"] == 0:
                state.unlink()
                _stop(server["pid"])


def _count_users(state: Path, more: int) -> dict[str, Any]:
    server: dict[str, Any] = json.loads(state.read_text())
    server["users"] += more
    state.write_text(json.dumps(server))
    return server


def _start_mlflow(home: Path) -> dict[str, Any]:
    port = free_port()
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/mlflow.db", "--artifacts-destination", str(home / "files")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (home / "log").open("ab") as log:
        program = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    _started.append(program)
    try:
        wait_until(lambda: answers(port, "/health"), seconds=300, step=0.1)
    except BaseException:  # pytest's time limit, too
        _stop(program.pid)
        raise
    return {"address": f"http://127.0.0.1:{port}", "pid": program.pid, "users": 0}


def _stop(pid: int) -> None:
    """End a group of processes, which may be another worker's."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(pid, number)
        with suppress(TimeoutError):
            wait_until(lambda: not _runs(pid), seconds=10)


def _runs(pid: int) -> bool:
    """Whether a program runs: one that has ended is listed as Z until the worker that started it asks for its code."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
