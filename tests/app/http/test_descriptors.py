"""Few file descriptors."""

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.http.descriptors import OUT_OF_DESCRIPTORS, PLENTY, DescriptorWarning, share_out
from tests.artifacts import write
from tests.client import put_in_cache
from tests.conftest import MakeSettings
from tests.every_route import assert_every_route_answers
from tests.processes import PROJECT, wait_until
from tests.service import service

FEW = ["sh", "-c", 'ulimit -n 200 && exec "$@"', "sh"]


@pytest.mark.long
def test_more_connections_than_descriptors_do_no_lasting_harm(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(log_level="WARNING")
    put_in_cache(settings, write(tmp_path / "served"))
    with service(settings, tmp_path / "log", wrapper=FEW) as (client, _):
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            for _ in range(300):
                stack.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=10))
            time.sleep(2)
            assert_every_route_answers(client)
        wait_until(lambda: client.get("/users/1/recommendations").status == 200)
        seconds = time.monotonic() - started
    log = (tmp_path / "log").read_text()
    assert log.count("New connections wait") <= seconds + 1
    assert "Traceback" not in log


@pytest.mark.long
def test_connections_that_only_wait_for_the_end_of_a_refused_body_count(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    refused = b"POST /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n"
    with (
        service(make_settings(log_level="WARNING"), tmp_path / "log", wrapper=FEW) as (client, _),
        contextlib.ExitStack() as stack,
    ):
        for _ in range(1000):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=10))
            connection.sendall(refused)
        assert client.get("/health/live").status == 200
    assert "New connections wait" not in (tmp_path / "log").read_text()


def test_asyncio_s_tries_to_accept_make_one_line_a_second(caplog: pytest.LogCaptureFixture) -> None:
    async def fail_often() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(DescriptorWarning())
        error = OSError(24, "Too many open files")
        for _ in range(1000):
            loop.call_exception_handler({"message": OUT_OF_DESCRIPTORS, "exception": error})

    asyncio.run(fail_often())
    assert caplog.messages == ["New connections wait: [Errno 24] Too many open files. Raise the limit: ulimit -n."]


def test_other_errors_of_the_loop_are_still_told(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(DescriptorWarning())
        loop.call_exception_handler({"message": "another problem"})

    # DVC, once another test has imported it, silences this logger for the whole process.
    caplog.set_level(logging.ERROR, "asyncio")
    asyncio.run(fail())
    assert caplog.messages == ["another problem"]


def test_the_limit_of_connections_leaves_descriptors_for_the_rest() -> None:
    code = "from app.http.descriptors import BACKLOG, MAX_CONNECTIONS; print(MAX_CONNECTIONS, BACKLOG)"
    printed = subprocess.run([*FEW, sys.executable, "-c", code], cwd=PROJECT, capture_output=True, check=True).stdout
    assert printed == b"50 50\n"


@pytest.mark.parametrize(
    ("descriptors", "backlog", "connections"),
    [(PLENTY, 256, 1000), (2000, 256, 1000), (1024, 256, 512), (240, 60, 80), (100, 25, 8), (3, 1, 8)],
)
def test_of_any_number_of_descriptors_some_are_left(descriptors: int, backlog: int, connections: int) -> None:
    assert share_out(descriptors) == (backlog, connections)
