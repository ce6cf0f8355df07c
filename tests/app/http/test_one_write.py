"""An answer in one write is the same on the wire as one through uvicorn's `send`."""

import re
import socket
from collections.abc import Iterator

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.http.front_door import FrontDoor
from app.http.one_write import takes_an_answer
from app.http.one_write import write as write_at_once
from app.main import create_app
from tests.app.conftest import offline_settings
from tests.app.http.test_front_door_requests import NUMBERS, make_ready
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving

DIFFERENT_EACH_TIME = re.compile(rb'(date|x-request-id): [^\r]*\r\n|"request_id":"\w+"')

HOST = b"Host: films.example\r\n"
PLAIN = b"GET /users/7/recommendations?k=5 HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = PLAIN.replace(HOST, HOST + b"Connection: close\r\n")
WIRE = {
    "close": LAST,
    "pipelined": 3 * PLAIN + LAST,
    "pipelined behind a slow one": PLAIN.replace(b"k=5", b"k=5&explain=true") + PLAIN + LAST,
    "HTTP/1.0": PLAIN.replace(b"1.1", b"1.0"),
    "HTTP/1.0 kept alive": PLAIN.replace(b"1.1", b"1.0").replace(HOST, HOST + b"Connection: keep-alive\r\n"),
    "absolute form": LAST.replace(b"GET /", b"GET http://films.example/"),
    "expect": PLAIN.replace(HOST, HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n") + b"{}" + LAST,
    "a body": PLAIN.replace(HOST, HOST + b"Content-Length: 2\r\n") + b"{}" + LAST,
    "a body in chunks": PLAIN.replace(HOST, HOST + b"Transfer-Encoding: chunked\r\n") + b"2\r\n{}\r\n0\r\n\r\n" + LAST,
    "upgrade": LAST.replace(b"Connection: close", b"Connection: upgrade, close\r\nUpgrade: h2c"),
    "HEAD": LAST.replace(b"GET", b"HEAD"),
    "small letters": LAST.replace(b"GET", b"get"),
    "two lengths": LAST.replace(HOST, HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n"),
    "unknown users": PLAIN.replace(b"/7/", b"/8/") + PLAIN.replace(b"/7/", b"/nobody/") + LAST,
    "a longer list than is ready": PLAIN.replace(b"k=5", b"k=100") + LAST,
    "an error between": PLAIN.replace(b"k=5", b"k=0") + LAST,
    "no route between": PLAIN.replace(b"/7/", b"/7/8/") + LAST,
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Client]]:
    """The service with its front door, and without it."""
    directory = tmp_path_factory.mktemp("one write")
    settings = offline_settings(directory)
    put_in_cache(settings, write(directory / "served", make_ready(NUMBERS)), version="7")
    without = create_app(settings)
    without.front_door = None
    with serving(settings) as client, serving(settings, without) as documented:
        yield client, documented


def on_the_wire(client: Client, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
        connection.sendall(request)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return DIFFERENT_EACH_TIME.sub(b"", received)


@pytest.mark.parametrize("request_bytes", WIRE.values(), ids=WIRE)
def test_the_bytes_on_the_wire_are_the_same(services: tuple[Client, Client], request_bytes: bytes) -> None:
    ours, documented = (on_the_wire(client, request_bytes) for client in services)
    assert ours == documented
    assert ours.startswith(b"HTTP/1.1 ")


def test_an_ordinary_request_is_answered_in_one_write(
    services: tuple[Client, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def noted(cycle: RequestResponseCycle, answer: bytes) -> None:
        written.append(answer)
        write_at_once(cycle, answer)

    monkeypatch.setattr("app.http.front_door.write", noted)
    received = on_the_wire(services[0], PLAIN + LAST)  # the last one closes, which uvicorn itself does
    assert len(written) == 1
    assert received.startswith(DIFFERENT_EACH_TIME.sub(b"", written[0]))


def test_a_request_in_many_pieces_is_answered(services: tuple[Client, Client]) -> None:
    for client in services:
        with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in LAST:
                connection.sendall(bytes([byte]))
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_client_that_stops_reading_gets_whole_answers_when_it_goes_on(services: tuple[Client, Client]) -> None:
    n = 200
    with socket.create_connection(("127.0.0.1", services[0].port), timeout=10) as connection:
        connection.sendall(n * PLAIN + LAST)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == n + 1


def test_of_requests_that_come_together_only_the_first_goes_without_a_task(
    services: tuple[Client, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[bool] = []

    def count(door: FrontDoor, cycle: RequestResponseCycle) -> bool:
        at_once.append(answers_at_once(door, cycle))
        return at_once[-1]

    answers_at_once = FrontDoor.answers_at_once
    monkeypatch.setattr(FrontDoor, "answers_at_once", count)
    answers = on_the_wire(services[0], 50 * PLAIN + LAST)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 51
    assert at_once[0]
    assert len(at_once) <= 5  # one for each time that the server reads


def test_an_object_that_is_not_uvicorn_s_own_takes_no_answer_at_once() -> None:
    class Other(RequestResponseCycle):
        pass

    assert not takes_an_answer(Other.__new__(Other))
