"""What a person sees before anything is installed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import PROJECT, free_port


def run(*command: str, path: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PATH": str(path)} if path else None
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def fake(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def link(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        found = subprocess.run(["sh", "-c", f"command -v {name}"], capture_output=True, text=True, check=True)
        (folder / name).symlink_to(found.stdout.strip())


def test_a_busy_port_is_named_with_the_way_to_choose_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run("python3", "scripts/ports.py", "PORT", str(free_port()), "MLFLOW_PORT", str(port))
    assert done.returncode == 1
    assert (
        done.stderr
        == f"Port {port} is in use: stop what uses it, or choose another: make serve MLFLOW_PORT={port + 1}\n"
    )


def test_free_ports_are_accepted_in_silence() -> None:
    done = run("python3", "scripts/ports.py", "PORT", str(free_port()))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_port_that_is_no_number_is_refused() -> None:
    assert (
        "PORT must be a port number from 1 to 65535, not 'http'"
        in run("python3", "scripts/ports.py", "PORT", "http").stderr
    )


def test_too_old_a_python_is_said_in_one_sentence(tmp_path: Path) -> None:
    fake(tmp_path / "bin", "python3", '[ "$1" = --version ] && echo Python 3.8.2')
    link(tmp_path / "bin", "sh", "dirname")
    done = run("sh", "scripts/preflight.sh", "", path=tmp_path / "bin")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "Python 3.10 to 3.13 is needed, and python3 is: Python 3.8.2. Install one, or name it: make PYTHON="
    )
    assert done.stderr.count("\n") == 1


def test_no_python_at_all_is_said_in_one_sentence(tmp_path: Path) -> None:
    link(tmp_path / "bin", "sh", "dirname")
    done = run("sh", "scripts/preflight.sh", "", path=tmp_path / "bin")
    assert done.returncode == 1
    assert "is needed, and python3 is: none" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_missing_compiler_is_said_in_one_sentence(tmp_path: Path) -> None:
    link(tmp_path / "bin", "sh", "dirname")
    fake(tmp_path / "bin", "python3", "exit 0")
    fresh = tmp_path / "project"
    fresh.mkdir()
    (fresh / "scripts").symlink_to(PROJECT / "scripts")
    done = subprocess.run(
        ["sh", "scripts/preflight.sh", ""],
        cwd=fresh, env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("No C compiler was found, and LightFM is compiled on this machine: install one")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("variable", ["PORT", "MLFLOW_PORT"])
def test_a_port_without_a_number_is_said_in_one_sentence(tmp_path: Path, variable: str) -> None:
    (tmp_path / "scripts").symlink_to(PROJECT / "scripts")
    (tmp_path / "Makefile").symlink_to(PROJECT / "Makefile")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "installed").touch()
    ports = {"PORT": str(free_port()), "MLFLOW_PORT": str(free_port()), variable: ""}  # the usual ones may be in use
    done = run("make", "--directory", str(tmp_path), "serve", *(f"{name}={port}" for name, port in ports.items()))
    assert done.returncode != 0
    assert f"{variable} must be a port number from 1 to 65535, not ''.\n" in done.stderr


@pytest.mark.parametrize(("target", "start"), [("serve", "scripts.serve"), ("repro", "dvc repro")])
def test_params_are_checked_before_anything_starts(target: str, start: str) -> None:
    lines = run("make", "--dry-run", "--old-file", ".venv/installed", target).stdout.splitlines()
    check, begin = (next(n for n, line in enumerate(lines) if text in line) for text in ("training check", start))
    assert check < begin


@pytest.mark.parametrize("module", ["training", "scripts.serve"])
def test_ctrl_c_while_libraries_are_imported_shows_no_traceback(tmp_path: Path, module: str) -> None:
    (tmp_path / "argparse.py").write_text("import sys, time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, "-m", module]
    with subprocess.Popen(
        command, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stdout.readline() == "importing\n"
        program.send_signal(signal.SIGINT)
        assert program.stdout.read() == ""
    assert program.returncode == -signal.SIGINT
