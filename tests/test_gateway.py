"""The gateway's own limits, over raw sockets; deploy/nginx.conf runs with this machine's nginx."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.programs import running
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.processes import PROJECT, answers, free_port, wait_until
from tests.service import Asking

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx")
HEAD = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
def gateway(make_settings: MakeSettings, tmp_path: Path) -> Iterator[Client]:
    """The gateway before one replica. It waits for 1 s where the file says 10 s, and lets more requests through."""
    settings = make_settings(log_level="WARNING")
    put_in_cache(settings, write(tmp_path / "served"))
    with serving(settings) as replica:
        port = free_port()
        file = tmp_path / "nginx.conf"
        file.write_text(configuration(replica.port, port, tmp_path), encoding="utf-8")
        command = [str(NGINX), "-c", str(file), "-e", str(tmp_path / "errors"), "-g", "daemon off;"]
        with (tmp_path / "log").open("wb") as log, running(command, environment=os.environ, folder=PROJECT, output=log):
            wait_until(lambda: answers(port, "/gateway/health"))
            yield Client(port)


def configuration(replica: int, port: int, folder: Path) -> str:
    text = (PROJECT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    changes = {
        "server api:8000 resolve": f"server 127.0.0.1:{replica}",
        "resolver 127.0.0.11 valid=1s ipv6=off;": "",
        "listen 8080": f"listen 127.0.0.1:{port}",
        "/tmp/": f"{folder}/",  # noqa: S108 - the folder in the container
        "/dev/stderr": str(folder / "errors"),
        "/dev/stdout": str(folder / "access"),
        "timeout 10s": "timeout 1s",
        "rate=200r/s": "rate=9000r/s",
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def error_of(gateway: Client, sent: bytes) -> tuple[int, str]:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.loads(answer.read())["error"]["code"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (431, "headers_too_large")),
        (HEAD + b"a: " + b"x" * 70_000 + b"\r\n\r\n", (431, "headers_too_large")),
        (HEAD + b"a: b\r\n" * 40_000 + b"\r\n", (431, "headers_too_large")),
        (b"GET /users/1/recommendations HTTP/1.1\r\n\r\n", (400, "bad_request")),
        (b"\x16\x03\x01 hello\r\n\r\n", (400, "bad_request")),
        (HEAD + b"Content-Length: 2000000\r\n\r\n", (413, "body_too_large")),
    ],
)
def test_what_it_can_not_take_it_refuses_in_the_one_shape(
    gateway: Client, sent: bytes, expected: tuple[int, str]
) -> None:
    assert error_of(gateway, sent) == expected


def test_an_address_and_headers_of_usual_size_pass(gateway: Client) -> None:
    assert gateway.get(f"/users/{'x' * 16_000}/recommendations", headers={"Cookie": "x" * 16_000}).status == 200


@pytest.mark.parametrize("sent", [HEAD, b"POST /recommendations HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"])
def test_a_normal_client_sees_nothing_of_200_slow_ones_and_they_are_cut_off(gateway: Client, sent: bytes) -> None:
    asking = Asking(gateway)
    asking.start()
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", gateway.port)
        slow = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(200)]
        for connection in slow:
            connection.sendall(sent)
        time.sleep(1)
        for connection in slow:
            with contextlib.suppress(ConnectionError):
                assert connection.recv(65_536) in (b"", b"HTTP/1.1 408 Request Time-out")
    answered = asking.stop()
    assert len(answered) > 20
    assert {status for status, _ in answered} == {200}
