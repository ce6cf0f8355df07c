"""`dvc repro` as a program of its own, which can be stopped."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

COMMAND = (sys.executable, "-m", "dvc", "repro")
STOP_SECONDS = 20


class Pipeline:
    """Runs in the folder `root`, in a process group of its own, and writes to this program's output.

    With a file `lock`, a run waits while another program has it locked: DVC sees no other container's run.
    """

    def __init__(self, root: Path, lock: Path | None = None) -> None:
        self._root = root
        # Without --no-fork a signal would end flock at once, and `stop` would kill DVC before it has cleaned up.
        self._command = COMMAND if lock is None else ("flock", "--no-fork", str(lock), *COMMAND)
        self._lock = threading.Lock()
        self._stopped = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def run(self) -> int:
        """Run once; return the exit code, which is not 0 where a stage failed, or after `stop`."""
        with self._lock:
            if self._stopped:
                return 1
            self._process = subprocess.Popen(
                self._command, cwd=self._root, stdin=subprocess.DEVNULL, start_new_session=True
            )
        return self._process.wait()

    def stop(self) -> None:
        """Start no further run; end this one as Ctrl-C does, which keeps finished stages; kill it after 20 s."""
        with self._lock:
            self._stopped = True
        if self._process is None:
            return
        for number in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
