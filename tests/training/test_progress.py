import fcntl
import io
import os
import struct
import sys
import termios

import pytest

from training import progress as module
from training.progress import counter, progress


def test_a_log_file_gets_whole_lines_and_few(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(range(1000), "fit", "epoch")) == list(range(1000))
    with counter("download", "B", 500) as bar:
        for _ in range(500):
            bar.update()
    lines = capsys.readouterr().err
    assert "\r" not in lines
    first, last, *others = lines.splitlines()
    assert "0/1000" in first
    assert "1000/1000" in last
    assert len(others) == 2


def test_a_long_loop_says_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0)
    list(progress(range(10), "fit", "epoch"))
    assert "fit:  50% 5/10" in capsys.readouterr().err


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with open(theirs, "w") as terminal, io.FileIO(ours) as screen:  # noqa: PTH123
        monkeypatch.setattr(sys, "stderr", terminal)
        list(progress(range(3), "fit", "epoch"))
        assert b"\rfit:" in screen.read(1000)
