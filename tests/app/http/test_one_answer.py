"""A model of a connection: each request gets at most one answer, its own, in order."""

import contextlib
import itertools
import random
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.app.conftest import offline_settings
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving
from tests.marks import long

JSON = b"Content-Type: application/json\r\n"
KEY = b"X-API-Key: key\r\n"
EVENTS = b'{"events": [{"user_id": "1", "item_id": 10, "type": "like"}]}'
READ = {"read": EVENTS, "edit": b'{"title": "Paths of Glory"}'}
# What begins each request, and the status of its answer: some are given before the body is read, some after.
STARTS = {
    "not found": (b"POST /nothing HTTP/1.1\r\n" + KEY, 404),
    "not allowed": (b"PUT /items HTTP/1.1\r\n" + KEY, 405),
    "no key": (b"POST /recommendations HTTP/1.1\r\n" + JSON, 401),
    "a body on GET": (b"GET /users/1/recommendations HTTP/1.1\r\n" + KEY, 200),
    "read": (b"POST /events HTTP/1.1\r\n" + KEY + JSON, 200),
    "no editor": (b"PATCH /items/10 HTTP/1.1\r\n" + JSON, 401),
    "edit": (b"PUT /items/10 HTTP/1.1\r\n" + KEY + JSON, 200),
}
UPGRADES = {
    "": b"",
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    "websocket": b"connection: upgrade\r\nUPGRADE: websocket\r\n",
}
BODY_LIMIT, READ_LIMIT = 1 << 20, 4 << 20
# A request that is smuggled in a body would be answered with this id.
SMUGGLED = b"GET /health/live HTTP/1.1\r\nX-Request-ID: smuggled\r\n\r\n"
BEHIND = {"nothing": b"", "no HTTP": b"\x00garbage\r\n\r\n", "half a request": b"GET /health/live HTTP/1.1\r\nX-Requ"}


@dataclass(frozen=True)
class Sent:
    """A request, the status that answers it, and whether the connection may end with it."""

    id: str
    bytes: bytes
    status: int
    may_end: bool


def request(number: int, start: str, size: int, upgrade: str = "", *, chunked: bool = False) -> Sent:
    """A request of a kind, with a body of about that size."""
    head, status = STARTS[start]
    body = b"" if not size else (SMUGGLED * (size // len(SMUGGLED) + 1))[:size]
    if start in READ:
        body = READ[start].ljust(size)
        status = 413 if len(body) > BODY_LIMIT else 200
    framed = b"Content-Length: %d\r\n\r\n" % len(body) + body
    if chunked:
        parts = (body[at : at + 50_000] for at in range(0, len(body), 50_000))
        framed = b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        framed += b"0\r\n\r\n"
    sent = head + b"Host: a\r\nX-Request-ID: r%d\r\n" % number + UPGRADES[upgrade] + framed
    return Sent(f"r{number}", sent, status, may_end=status == 413 or size > READ_LIMIT)


def pieces(content: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    """The content, cut at these places."""
    for start, end in itertools.pairwise([0, *sorted({cut for cut in cuts if 0 < cut < len(content)}), len(content)]):
        yield content[start:end]


def exchange(client: Client, parts: Iterator[bytes], *, half_closes: bool = True) -> bytes:
    """Send the parts, each in a segment of its own as far as the system lets us, end this side, and read to the end."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):
            for part in parts:
                connection.sendall(part)
            if half_closes:
                connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def answers(received: bytes) -> list[tuple[int, str | None]]:
    """Status and id of each answer; fails unless the bytes are whole answers and nothing else."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        line = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        assert line is not None, received[:200]
        assert length is not None, received[:200]
        named = re.search(rb"\r\nx-request-id: (\S+)", head)
        found.append((int(line[1]), named[1].decode() if named else None))
        assert len(rest) >= int(length[1])
        received = rest[int(length[1]) :]
    return found


def check(client: Client, requests: Sequence[Sent], behind: str, cuts: Sequence[int]) -> None:
    """One answer for each request, by id and in order, as long as the connection must go on; then at most a refusal."""
    got = answers(exchange(client, pieces(b"".join(each.bytes for each in requests) + BEHIND[behind], cuts)))
    expected = [(each.status, each.id) for each in requests]
    ends = next((number for number, each in enumerate(requests, 1) if each.may_end), None)
    if ends is None:
        refusals = [(400, None)] if behind == "no HTTP" else []
        assert got == expected + refusals, behind
    else:
        # The server itself refuses a body that it reads no further; else it is the application's answer.
        assert got[: ends - 1] == expected[: ends - 1]
        assert got[ends - 1 :] in (expected[ends - 1 : ends], [(413, None)])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service that keeps events and asks for a key, which is an editor's, too."""
    directory = tmp_path_factory.mktemp("one answer")
    settings = offline_settings(directory).model_copy(update={"events_url": f"sqlite:///{directory}/events.db"})
    settings = type(settings).model_validate({**settings.model_dump(), "api_keys": "key", "catalogue_keys": "ann:key"})
    put_in_cache(settings, write(directory / "served"))
    with serving(settings) as client:
        yield client


@pytest.mark.parametrize("upgrade", [*long(["", "websocket"]), "h2c"])
@pytest.mark.parametrize("start", STARTS)
def test_each_request_gets_one_answer(guarded: Client, start: str, upgrade: str) -> None:
    for size, behind, chunked in itertools.product([0, 100, 5000], BEHIND, (False, True)):
        first = request(1, start, size, upgrade, chunked=chunked)
        head = first.bytes.index(b"\r\n\r\n") + 4
        for cut in (head - 2, head, head + size // 2, len(first.bytes)):
            check(guarded, [first, request(2, "not found", 10)], behind, [cut])


@pytest.mark.parametrize("upgrade", [*long(["", "websocket"]), "h2c"])
@pytest.mark.parametrize("start", STARTS)
def test_each_request_with_a_large_body_gets_one_answer(guarded: Client, start: str, upgrade: str) -> None:
    for size, chunked in itertools.product([BODY_LIMIT + 1, READ_LIMIT + 100_000], (False, True)):
        first = request(2, start, size, upgrade, chunked=chunked)
        requests = [request(1, "read", 10), first, request(3, "not found", 10)]
        check(guarded, requests, "no HTTP", [1000, len(first.bytes) // 2])


@pytest.mark.long
def test_chance_finds_no_request_with_another_s_answer(guarded: Client) -> None:
    random_ = random.Random(1)  # noqa: S311 - no secret
    for _ in range(150):
        requests = [
            request(
                number,
                random_.choice(list(STARTS)),
                random_.choice([0, 1, 90, 4096, 5000, 70_000]),
                random_.choice(list(UPGRADES)),
                chunked=random_.random() < 0.5,
            )
            for number in range(random_.randrange(1, 12))
        ]
        length = sum(len(each.bytes) for each in requests)
        cuts = [random_.randrange(length) for _ in range(random_.randrange(8))]
        check(guarded, requests, random_.choice(list(BEHIND)), cuts)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_s_offer_of_http_2_is_passed_over(guarded: Client, tmp_path: Path) -> None:
    (tmp_path / "events.json").write_bytes(EVENTS + b" " * 100_000)
    command = ["curl", "--silent", "--http2", "--data-binary", f"@{tmp_path / 'events.json'}"]
    command += ["--header", KEY.decode().strip(), "--header", JSON.decode().strip()]
    url = f"http://127.0.0.1:{guarded.port}/events"
    printed = subprocess.run([*command, "--write-out", " %{response_code}\n", url, url], capture_output=True, text=True)
    assert re.findall(r" (\d+)$", printed.stdout, re.MULTILINE) == ["200", "200"]


JAVA = """
import java.net.URI;
import java.net.http.*;

class Post {
    public static void main(String[] given) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int number = 0; number < 3; number++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(given[0]))
                .header("Content-Type", "application/json").header("X-API-Key", "key")
                .POST(HttpRequest.BodyPublishers.ofString(given[1] + " ".repeat(number * 50000))).build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
"""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java")
def test_java_s_client_stores_its_events(guarded: Client, tmp_path: Path) -> None:
    (tmp_path / "Post.java").write_text(JAVA)
    command = ["java", str(tmp_path / "Post.java"), f"http://127.0.0.1:{guarded.port}/events", EVENTS.decode()]
    assert subprocess.run(command, capture_output=True, text=True).stdout.split() == ["200"] * 3
