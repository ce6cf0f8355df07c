"""What a connection may cost, over raw sockets."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.http import patience, protocol
from app.http.protocol import MAX_HEAD_BYTES, MAX_HEADERS, MAX_PIPELINED
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.service import Asking

GET = b"GET /health/live HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /recommendations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def impatient(make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A service that waits for a client for half a second."""
    monkeypatch.setattr(patience, "CLIENT_SECONDS", 0.5)
    monkeypatch.setattr(patience, "CHECK_SECONDS", 0.05)
    settings = make_settings(log_level="WARNING")
    put_in_cache(settings, write(tmp_path / "served"))
    with serving(settings) as client:
        yield client


@contextlib.contextmanager
def connected(client: Client, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=10)) for _ in range(count)
        ]


def received(connection: socket.socket) -> bytes:
    """All that comes before the end."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            answer += part
    return answer


def is_live(connection: socket.socket) -> bool:
    """Whether the answer to GET /health/live comes."""
    answer = b""
    while not answer.endswith(b'{"status":"live"}') and (part := connection.recv(65_536)):
        answer += part
    return answer.startswith(b"HTTP/1.1 200")


def error_of(client: Client, sent: bytes) -> tuple[int, str]:
    """Status and code of the answer to these bytes, after which the connection ends."""
    with connected(client, 1) as [connection]:
        with contextlib.suppress(ConnectionError):
            connection.sendall(sent)
        head, _, body = received(connection).partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    "sent", [b"", b"G", GET, GET + b"\r\n" + GET, POST + b'Content-Length: 9\r\n\r\n{"liked"', CHUNKED]
)
def test_a_request_that_does_not_become_whole_ends_the_connection(impatient: Client, sent: bytes) -> None:
    with connected(impatient, 1) as [connection]:
        connection.sendall(sent)
        started = time.monotonic()
        assert received(connection).count(b"HTTP/1.1 200") == sent.count(GET + b"\r\n")
        assert time.monotonic() - started < 5


def test_bytes_that_drip_do_not_keep_a_request_alive(impatient: Client) -> None:
    with connected(impatient, 1) as [connection]:
        connection.sendall(GET)
        started = time.monotonic()
        with pytest.raises(ConnectionError):  # noqa: PT012 - the end comes at any of them
            while time.monotonic() - started < 5:
                connection.sendall(b"a: b\r\n")
                time.sleep(0.1)


def test_whole_requests_keep_a_connection_alive_for_longer(impatient: Client) -> None:
    with connected(impatient, 1) as [connection]:
        for _ in range(15):
            connection.sendall(GET + b"\r\n")
            assert is_live(connection)
            time.sleep(0.1)


def test_a_connection_without_another_request_is_closed(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "CHECK_SECONDS", 0.05)
    with serving(make_settings(), keep_alive=1) as client, connected(client, 1) as [connection]:
        started = time.monotonic()
        connection.sendall(GET + b"\r\n")
        assert is_live(connection)
        assert received(connection) == b""
        assert 1 <= time.monotonic() - started < patience.CLIENT_SECONDS


@pytest.mark.long
def test_a_client_that_does_not_read_its_answers_is_cut_off(impatient: Client) -> None:
    with connected(impatient, 1) as [connection]:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(5)
        ask = GET.replace(b"/health/live", b"/openapi.json") + b"\r\n"
        with pytest.raises(ConnectionError):  # noqa: PT012 - the end comes at any of them
            for _ in range(10_000):
                connection.sendall(ask)
                time.sleep(0.001)


@pytest.mark.parametrize(
    "sent",
    [
        GET + b"a: " + b"x" * (MAX_HEAD_BYTES + 8192),
        GET + b"a: b\r\n" * 20_000,
        GET + b"".join(b"%x: y\r\n" % number for number in range(4 * MAX_HEADERS)) + b"a: " + b"x" * 4096,
        GET + b"a:\r\n" * MAX_HEADERS + b"\r\n",
        CHUNKED + b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 20_000,
    ],
)
def test_headers_without_end_are_refused(client: Client, sent: bytes) -> None:
    assert error_of(client, sent) == (431, "headers_too_large")


def test_a_hundred_headers_are_read_and_who_sends_more_is_told_how_many(client: Client) -> None:
    more = b"".join(b"%x: y\r\n" % number for number in range(98))
    with connected(client, 1) as [connection]:
        connection.sendall(GET + more + b"Connection: close\r\n")
        time.sleep(0.1)  # so that they are read before the end
        connection.sendall(b"\r\n")
        assert received(connection).startswith(b"HTTP/1.1 200 ")
    with connected(client, 1) as [connection]:
        connection.sendall(GET + more + b"Connection: close\r\na: b\r\nc")
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"Send at most 100 headers and 98304 bytes." in answer


def test_what_follows_a_body_in_chunks_is_no_header(make_settings: MakeSettings) -> None:
    with serving(make_settings(api_keys="key")) as client, connected(client, 1) as [connection]:
        connection.sendall(CHUNKED + b"2\r\n{}\r\n0\r\nX-API-Key: key\r\n\r\n" + GET + b"Connection: close\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 401 ")


def test_the_longest_address_is_read_and_one_byte_more_is_not(client: Client) -> None:
    for size, status in ((65_535, b"404"), (65_536, b"400")):
        with connected(client, 1) as [connection]:
            # Without an end of the headers: uvicorn's own limit comes only then.
            connection.sendall(b"GET /" + b"a" * (size - 1) + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n")
            if status == b"404":
                time.sleep(0.1)  # so that the address is looked at before the end
                connection.sendall(b"\r\n")
            assert received(connection).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("size", [65_600, 10_000_000])
def test_an_address_without_end_is_refused_like_one_that_is_too_long(client: Client, size: int) -> None:
    with connected(client, 1) as [connection]:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET /" + b"a" * size + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert received(connection).startswith(b"HTTP/1.1 400 ")


def test_a_hundred_megabytes_of_headers_are_not_read(client: Client) -> None:
    with connected(client, 1) as [connection]:
        connection.sendall(GET)
        with pytest.raises(ConnectionError):  # noqa: PT012 - the end comes at any of them
            for _ in range(1600):
                connection.sendall(b"a: " + b"x" * 65_536)
    assert client.get("/health/live").status == 200


def test_a_body_that_is_mostly_framing_is_refused(client: Client) -> None:
    extension = b";" + b"x" * 4000
    assert error_of(client, CHUNKED + (b"1" + extension + b"\r\n \r\n") * 1500)[0] == 413


@pytest.mark.parametrize("size", [1 << 21, 12 << 20])
def test_a_client_that_sends_a_whole_refused_body_can_still_read_why(client: Client, size: int) -> None:
    assert error_of(client, POST + b"Content-Length: %d\r\n\r\n" % size + b" " * size) == (413, "body_too_large")


def test_some_requests_may_be_sent_at_once_and_are_answered_in_order(client: Client) -> None:
    with connected(client, 1) as [connection]:
        for k in range(1, 33):
            connection.sendall(b"GET /items/popular?k=%d HTTP/1.1\r\nHost: a\r\n\r\n" % (k % 6 + 1))
        connection.sendall(GET + b"Connection: close\r\n\r\n")
        answers = received(connection).split(b"HTTP/1.1 200 OK")[1:]
    assert [answer.count(b'"rank"') for answer in answers[:-1]] == [k % 6 + 1 for k in range(1, 33)]
    assert answers[-1].endswith(b'{"status":"live"}')


def test_a_flood_of_requests_ends_the_connection(client: Client) -> None:
    with connected(client, 1) as [connection]:
        with contextlib.suppress(ConnectionError):
            connection.sendall((GET + b"\r\n") * 100 * MAX_PIPELINED)
        assert received(connection).count(b"HTTP/1.1 200") < 2 * MAX_PIPELINED
    assert client.get("/health/live").status == 200


@pytest.mark.parametrize(
    "sent", [GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_no_request_writes_a_line_about_its_form(client: Client, caplog: pytest.LogCaptureFixture, sent: bytes) -> None:
    with connected(client, 1) as [connection]:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert received(connection).startswith(b"HTTP/1.1 ")
    assert not caplog.records


def test_what_follows_a_tunnel_that_is_not_made_is_not_read(client: Client) -> None:
    with connected(client, 1) as [connection]:
        connection.sendall(GET.replace(b"GET", b"CONNECT") + b"\r\n" + GET + b"\r\n")
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"connection: close" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_normal_client_sees_nothing_of_200_slow_ones(impatient: Client) -> None:
    asking = Asking(impatient)
    with connected(impatient, 200) as slow:
        asking.start()
        for connection in slow:
            connection.sendall(GET)
        until = time.monotonic() + 2
        while time.monotonic() < until:
            for connection in slow:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"a: b\r\n")
            time.sleep(0.1)
        answered = asking.stop()
    assert len(answered) > 20
    assert {status for status, _ in answered} == {200}


def test_where_connections_are_too_many_the_slowest_makes_room(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with connected(client, 20) as slow:
        for connection in slow:
            connection.sendall(GET)
        assert client.get("/health/live").status == 200  # by now, the service has read what was sent before
        monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 20)
        for _ in range(5):
            assert client.get("/health/live").status == 200
        slow[-1].sendall(b"\r\n")
        assert is_live(slow[-1])
        assert received(slow[0]) == b""


@pytest.mark.parametrize("sent", [b"", GET, GET + b"\r\n"])
def test_in_a_burst_each_new_connection_takes_the_place_of_one_that_waits_for_its_client(
    client: Client, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    with connected(client, 20) as waiting:
        for connection in waiting:
            connection.sendall(sent)
        assert client.get("/health/live").status == 200
        monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 20)
        for _ in range(40):
            assert client.get("/health/live").status == 200
        assert received(waiting[0]).count(b"HTTP/1.1 ") == sent.endswith(b"\r\n\r\n")


def test_who_has_been_answered_makes_room_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 1)
    is_refused = False
    while not is_refused:  # a client that comes while all others are answered
        with connected(client, 1) as [busy]:
            busy.sendall((GET + b"\r\n") * 200)
            is_refused = client.get("/health/live").status == 503
            answers = b""
            while is_refused and answers.count(b"live") < 200:
                answers += busy.recv(65_536)
            assert client.get("/health/live").status == 200
