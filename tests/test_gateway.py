"""The gateway: its limits, over raw sockets, and its patience with replicas, with this machine's nginx."""

import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.events.writer import PATIENCE_SECONDS
from scripts.programs import running
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.door import Door
from tests.processes import PROJECT, answers, free_port, wait_until
from tests.service import Asking

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx")
HEAD = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
def replica(make_settings: MakeSettings, tmp_path: Path) -> Iterator[int]:
    """The port of a replica of the service."""
    settings = make_settings(log_level="WARNING")
    put_in_cache(settings, write(tmp_path / "served"))
    with serving(settings) as client:
        yield client.port


@pytest.fixture
def gateway(replica: int, tmp_path: Path) -> Iterator[Client]:
    """The gateway before one replica."""
    with gateway_before([replica], tmp_path) as client:
        yield client


@contextmanager
def gateway_before(replicas: list[int], folder: Path, rate: str = "9000r/s", patience: int = 4) -> Iterator[Client]:
    """The gateway. It waits for a client for 1 s, for a replica for `patience` s, and lets more requests through."""
    port = free_port()
    file = folder / "nginx.conf"
    text = configuration(replicas, port, folder).replace("rate=200r/s", f"rate={rate}")
    file.write_text(text.replace("upstream_timeout 4s", f"upstream_timeout {patience}s"), encoding="utf-8")
    command = [str(NGINX), "-c", str(file), "-e", str(folder / "errors"), "-g", "daemon off;"]
    with (folder / "log").open("wb") as log, running(command, environment=os.environ, folder=PROJECT, output=log):
        wait_until(lambda: answers(port, "/gateway/health"))
        yield Client(port)


def configuration(replicas: list[int], port: int, folder: Path) -> str:
    text = (PROJECT / "deploy" / "gateway" / "nginx.conf").read_text(encoding="utf-8")
    changes = {
        r"server api:8000 resolve (.*);": " ".join(rf"server 127.0.0.1:{replica} \1;" for replica in replicas),
        r"resolver 127.0.0.11 valid=1s ipv6=off;": "",
        r"keepalive_min_timeout 1s;": "",  # Debian's nginx is older
        r"listen 8080": f"listen 127.0.0.1:{port}",
        r"127.0.0.1:8081": f"127.0.0.1:{free_port()}",
        r"/tmp/": f"{folder}/",  # noqa: S108 - the folder in the container
        r"/dev/stderr": str(folder / "errors"),
        r"/dev/stdout": str(folder / "access"),
        r"_timeout 10s": "_timeout 1s",
        r"proxy_next_upstream_timeout 20s": "proxy_next_upstream_timeout 4s",
    }
    for old, new in changes.items():
        text, count = re.subn(old, new, text)
        assert count, old
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


@pytest.mark.long
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


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """A replica that lets clients connect and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        yield listener


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def timed(gateway: Client, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, float]:
    """Status and seconds of an answer."""
    began = time.monotonic()
    return gateway.get(path, method, {"Content-Type": "application/json"}, body).status, time.monotonic() - began


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/users/1/recommendations", None), ("POST", "/recommendations", b'{"liked": [10]}')],
)
def test_a_replica_that_hangs_costs_a_reader_a_second_and_no_answer(
    replica: int, hanging: socket.socket, tmp_path: Path, method: str, path: str, body: bytes | None
) -> None:
    with gateway_before([port_of(hanging), replica], tmp_path) as gateway:
        answered = [timed(gateway, path, method, body) for _ in range(5)]
    assert {status for status, _ in answered} == {200}
    assert 1 < max(seconds for _, seconds in answered) < 5  # of which a busy machine takes most


class HangingStore(BaseHTTPRequestHandler):
    """What a replica answers whose store of events hangs."""

    def do_POST(self) -> None:
        time.sleep(PATIENCE_SECONDS)
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_PATCH(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/events"), ("DELETE", "/users/1"), ("POST", "/items")]
    + [(method, "/items/1") for method in ("PUT", "PATCH", "DELETE")],
)
def test_a_store_of_events_that_hangs_says_nothing_of_the_replica(tmp_path: Path, method: str, path: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), HangingStore) as server:
        threading.Thread(target=server.serve_forever).start()
        with gateway_before([server.server_port], tmp_path) as gateway:
            assert timed(gateway, path, method)[0] == 503
        server.shutdown()
    assert "upstream" not in (tmp_path / "errors").read_text(encoding="utf-8")


@pytest.mark.long
@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [("POST", "/events", {404}), pytest.param("GET", "/model", {200, 429}, marks=pytest.mark.long)],
)
def test_who_sends_what_all_users_say_may_ask_more_often(
    replica: int, tmp_path: Path, method: str, path: str, expected: set[int]
) -> None:
    with gateway_before([replica], tmp_path, rate="1r/s") as gateway:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        answered = set()
        for _ in range(500):
            connection.request(method, path)
            with connection.getresponse() as response:
                response.read()
                answered.add(response.status)
        connection.close()
    assert answered == expected


def test_a_post_that_may_change_something_is_sent_once(hanging: socket.socket, tmp_path: Path) -> None:
    with gateway_before([port_of(hanging)] * 2, tmp_path) as gateway:
        answer = gateway.get("/model/reload", "POST")
    hanging.settimeout(1)
    hanging.accept()[0].close()
    with pytest.raises(TimeoutError):
        hanging.accept()
    assert (answer.status, answer.json["error"]["code"]) == (503, "no_replica")


@pytest.mark.parametrize(("method", "expected"), [("GET", 200), ("POST", 405)])
def test_a_request_that_no_replica_has_got_waits_for_one(
    replica: int, tmp_path: Path, method: str, expected: int
) -> None:
    door = Door(replica)

    def open_once_somebody_was_refused() -> None:
        wait_until(lambda: f"127.0.0.1:{door.port}/" in (tmp_path / "errors").read_text(encoding="utf-8"))
        door.open()

    with gateway_before([free_port(), door.port], tmp_path, patience=100) as gateway:
        opening = threading.Thread(target=open_once_somebody_was_refused)
        opening.start()
        answer = gateway.get("/users/1/recommendations", method)
        opening.join()
        door.shut()
    assert answer.status == expected


def test_without_a_replica_it_says_so_in_the_end(tmp_path: Path) -> None:
    with gateway_before([free_port(), free_port()], tmp_path) as gateway:
        began = time.monotonic()
        answer = gateway.get("/users/1/recommendations")
        assert time.monotonic() - began >= 4
    assert (answer.status, answer.json["error"]["code"], answer.headers["Retry-After"]) == (503, "no_replica", "1")


def test_the_last_one_that_lives_answers_even_if_it_has_just_failed(replica: int, tmp_path: Path) -> None:
    with Door(replica) as door, gateway_before([free_port(), door.port, free_port()], tmp_path) as gateway:
        for _ in range(3):
            door.shut()
            threading.Timer(0.1, door.open).start()
            # The first one waits, and finds the replica marked as failed.
            answered = [timed(gateway, "/users/1/recommendations") for _ in range(5)]
            assert {status for status, _ in answered} == {200}
            assert max(seconds for _, seconds in answered[1:]) < 1
