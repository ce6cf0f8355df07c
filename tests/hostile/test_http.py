"""Raw HTTP, right and wrong: never an error of the service, never a connection that stays."""

import contextlib
import random
import socket
import threading
import time
from itertools import product
from pathlib import Path

import pytest

from tests.app.http.test_one_answer import BEHIND, BODY_LIMIT, READ_LIMIT, STARTS, UPGRADES, check, request
from tests.artifacts import write
from tests.client import Client, put_in_cache
from tests.conftest import MakeSettings
from tests.hostile.conftest import SEED, Table, Tally
from tests.service import Asking, service

pytestmark = pytest.mark.hostile

EDITED = "/items/1399"
TARGETS = [
    "/health/live", "/users/1/recommendations?k=3", "/items?query=film", "/metrics", EDITED, "/items/changes",
    "/openapi.json", "/nothing",
]  # fmt: skip
ODD_TARGETS = [
    "*", "http://elsewhere.example/model", "//model", "/%", "/%zz", "/users/%00/recommendations", "/" + "a" * 70_000,
    "/users/" + "%C3%A9" * 5000 + "/recommendations", "/items?query=" + "%00" * 2000, "/?" + "&" * 5000, "/\x7f",
    "?", "/ä",
    "/users/1/recommendations?" + "genre=a&" * 4000, "/..//../model", "/model;a=b", "/model#a",
    "/users/1/recommendations?k=" + "9" * 5000,
]  # fmt: skip
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get", "M-SEARCH", "X" * 300]
VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "http/1.1", ""]
NAMES = [
    "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Type",
    "Cookie", "Expect", "Forwarded", "Host", "If-Match", "If-None-Match", "Origin", "Range", "TE", "Traceparent",
    "Transfer-Encoding", "Upgrade", "X-API-Key", "X-Read-After", "X-Forwarded-For", "X-Request-ID",
    "A" * 2000, "a b", "", "ä", "a:b", "\x00",
]  # fmt: skip
VALUES = [
    "", "0", "-1", "+1", "1e3", "0x10", "9" * 19, "9" * 5000, "0" * 4300 + "1", "chunked", "chunked, gzip",
    "identity", "close",
    "keep-alive", "Upgrade", "websocket", "h2c", "100-continue", "later", "text/plain; version=abc", "*/*", "a" * 9000,
    "application/openmetrics-text; version=" + "9" * 5000, "application/json; charset=\xff", "\xff\xfe", "a\tb",
    "a\x00b", "bytes=0-",
    "a", "application/json",
    "Bearer \xe4", "Basic ?", "http://a.example", '"', ",,,", "a" * 129, "00-" + "0" * 32 + "-" + "0" * 16 + "-01",
]  # fmt: skip
BODIES = ["", "{}", '{"title": "x"}', '{"liked": [1001]}', "5\r\nhello\r\n0\r\n\r\n", "zz\r\n", "\x00" * 100]


def exchange(port: int, sent: bytes, seconds: float = 0.1) -> bytes:
    """What comes back until the end, or a silence."""
    answer = b""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(sent)
        connection.settimeout(seconds)
        while part := connection.recv(65_536):
            answer += part
    return answer


def is_right(answer: bytes) -> bool:
    """Nothing at all, or answers with a status below 500."""
    statuses = [line.split(b" ")[1][:1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    return not answer or (answer.startswith(b"HTTP/1.1 ") and not any(status == b"5" for status in statuses))


def random_request(random_: random.Random) -> bytes:
    method = random_.choice(METHODS if random_.random() < 0.3 else ["GET", "POST"])
    path = random_.choice(ODD_TARGETS if random_.random() < 0.3 else [*TARGETS, "/recommendations"])
    version = random_.choice(VERSIONS if random_.random() < 0.1 else ["HTTP/1.1"])
    headers = [("Host", "a"), ("Connection", "close"), ("X-API-Key", "a")] if random_.random() < 0.9 else []
    headers += [(random_.choice(NAMES), random_.choice(VALUES)) for _ in range(random_.randrange(4))]
    head = f"{method} {path} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    return (head + random_.choice(BODIES)).encode("latin-1" if random_.random() < 0.8 else "utf-8")


def mutated(random_: random.Random, content: bytes) -> bytes:
    """With some bytes changed, cut out, or repeated."""
    changed = bytearray(content)
    for _ in range(random_.randrange(1, 6)):
        place = random_.randrange(len(changed) + 1)
        changed[place : place + random_.randrange(4)] = random_.randbytes(random_.randrange(4))
    return bytes(changed[: random_.randrange(len(changed) + 1)] if random_.random() < 0.2 else changed)


def test_every_odd_header_with_every_odd_value(target: Client, table: Table) -> None:
    tally = Tally()
    for path, name, value in product(TARGETS[:5], NAMES, VALUES):
        start = f"DELETE {path} HTTP/1.1\r\nX-API-Key: a" if path == EDITED else f"GET {path} HTTP/1.1"
        sent = f"{start}\r\nHost: a\r\nConnection: close\r\n{name}: {value}\r\n\r\n".encode("latin-1")
        tally.count(is_right(exchange(target.port, sent)), sent)
    table.add("one odd header", tally)


def test_odd_and_mutated_requests(target: Client, table: Table) -> None:
    random_, tally = random.Random(SEED), Tally()
    for number in range(4000):
        sent = random_request(random_)
        if number % 2:
            sent = mutated(random_, sent)
        answer = exchange(target.port, sent, 0.05)
        tally.count(is_right(answer), (sent, answer[:200]))
    table.add("raw requests of random parts, half of them with changed bytes", tally)


def test_pipelined_requests_are_answered_in_order(target: Client, table: Table) -> None:
    random_, tally = random.Random(SEED), Tally()
    for _ in range(300):
        ks = [random_.randrange(1, 9) for _ in range(random_.randrange(1, 60))]
        sent = b"".join(b"GET /items/popular?k=%d HTTP/1.1\r\nHost: a\r\n\r\n" % k for k in ks[:-1])
        sent += b"GET /items/popular?k=%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % ks[-1]
        answers = exchange(target.port, sent, 5).split(b"HTTP/1.1 200 OK")[1:]
        tally.count([answer.count(b'"rank"') for answer in answers] == ks, ks)
    table.add("pipelines of up to 60 requests", tally)


def test_bodies_that_nobody_reads_upgrades_and_garbage(
    make_settings: MakeSettings, table: Table, tmp_path: Path
) -> None:
    random_, tally = random.Random(SEED), Tally()
    settings = make_settings(
        events_url=f"sqlite:///{tmp_path}/events.db", api_keys="key", catalogue_keys="ann:key", log_level="WARNING"
    )
    put_in_cache(settings, write(tmp_path / "served"))
    sizes = [0, 1, 90, 4096, 5000, 70_000, BODY_LIMIT + 1, READ_LIMIT + 100_000]
    with service(settings, tmp_path / "log") as (client, _):
        for _ in range(1000):
            requests = [
                request(
                    number,
                    random_.choice(list(STARTS)),
                    random_.choices(sizes, [8, 8, 8, 8, 8, 4, 1, 1])[0],
                    random_.choice(list(UPGRADES)),
                    chunked=random_.random() < 0.5,
                )
                for number in range(random_.randrange(1, 8))
            ]
            cuts = [random_.randrange(sum(len(each.bytes) for each in requests)) for _ in range(random_.randrange(8))]
            try:
                check(client, requests, random_.choice(list(BEHIND)), cuts)
            except AssertionError as error:
                tally.count(False, error)
            else:
                tally.count(True, "")
    table.add("one answer each: answers given early × bodies to 4 MiB × upgrades × cuts × garbage behind", tally)


def test_300_slow_clients(target: Client, table: Table) -> None:
    tally, asking = Tally(), Asking(target)
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", target.port)
        slow = [stack.enter_context(socket.create_connection(address, timeout=10)) for _ in range(300)]
        asking.start()
        starts = [b"GET /model HTTP/1.1\r\n", b"POST /recommendations HTTP/1.1\r\n", b"PUT /items/1 HTTP/1.1\r\n"]
        until = time.monotonic() + 25
        while time.monotonic() < until:
            for number, connection in enumerate(slow):
                with contextlib.suppress(OSError):
                    connection.sendall(starts[number % 3])
            time.sleep(0.5)
        for connection in slow:
            connection.settimeout(0.1)
            with contextlib.suppress(ConnectionError):
                tally.count(b"HTTP/1.1 5" not in connection.recv(65_536), "an error")
    for status, _ in asking.stop():
        tally.count(status == 200, status)
    table.add("300 slow clients for 25 s: their connections, and the answers to a normal client meanwhile", tally)


def test_floods(target: Client, table: Table) -> None:
    """Headers, trailers, chunks and requests without end, by five clients at once."""
    tally = Tally()
    head = b"POST /recommendations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    edit = b"PATCH /items/1399 HTTP/1.1\r\nHost: a\r\nX-API-Key: a\r\nContent-Type: application/json\r\n"
    edit += b'Content-Length: 11\r\n\r\n{"year": 1}'
    endless = [
        (head, b"a: b\r\n" * 10_000), (head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 10_000),
        (head + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 9000 + b"\r\n{\r\n"),
        (b"", b"GET /users/1/recommendations HTTP/1.1\r\nHost: a\r\n\r\n" * 1000), (b"", edit * 1000),
    ]  # fmt: skip

    def flood(start: bytes, rest: bytes) -> None:
        for _ in range(20):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", target.port), timeout=3) as one:
                one.sendall(start)
                for _ in range(1000):
                    one.sendall(rest)

    floods = [threading.Thread(target=flood, args=each) for each in endless]
    for each in floods:
        each.start()
    while any(each.is_alive() for each in floods):
        tally.count(target.get("/users/1/recommendations").status == 200, "not answered")
    table.add("answers to a normal client during floods of headers, trailers, chunks and requests", tally)
