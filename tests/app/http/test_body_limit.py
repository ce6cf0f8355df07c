"""No body above the limit is read, and none of those below it holds up others."""

import http.client
import socket
from pathlib import Path

import pytest

from tests.app.conftest import make_films
from tests.artifacts import write
from tests.client import Client, put_in_cache
from tests.conftest import MakeSettings
from tests.metrics import samples
from tests.processes import wait_until
from tests.service import service

JSON = {"Content-Type": "application/json"}
ROUTES = ["/recommendations", "/recommendations/batch"]


def padded(size: int) -> bytes:
    content = b'{"liked": [70], "k": 1'
    return content + b" " * (size - len(content) - 1) + b"}"


def test_a_body_of_the_limit_is_read(films: Client) -> None:
    assert films.get("/recommendations", "POST", JSON, padded(2**20)).status == 200


@pytest.mark.parametrize("route", ROUTES)
def test_a_larger_body_is_refused_in_the_one_shape(films: Client, route: str) -> None:
    answer = films.get(route, "POST", JSON, padded(2**20 + 1))
    assert (answer.status, answer.json["error"]["code"]) == (413, "body_too_large")


def test_a_body_of_the_limit_is_read_in_parts_too(films: Client) -> None:
    connection, body = http.client.HTTPConnection("127.0.0.1", films.port, timeout=10), padded(2**20)
    connection.request("POST", "/recommendations", iter((body[:65_536], body[65_536:])), JSON, encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_does_not_say_its_size_is_counted(films: Client, route: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", films.port, timeout=10)
    chunks = (b" " * 65_536 for _ in range(17))
    connection.request("POST", route, chunks, JSON, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_size_that_is_only_claimed_is_not_waited_for(films: Client) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", films.port, timeout=10)
    connection.putrequest("POST", "/recommendations")
    for name, value in {**JSON, "Content-Length": "1000000000000"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"{")
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(("digits", "status"), [("0" * 4300 + "22", 200), ("0" * 4300 + "9" * 7, 413), ("9" * 18, 413)])
def test_a_size_may_have_any_number_of_digits(films: Client, digits: str, status: int) -> None:
    headers = {**JSON, "Content-Length": digits}
    assert films.get("/recommendations", "POST", headers, b'{"liked": [70],"k": 1}').status == status


def test_a_refused_upload_is_answered_before_it_is_sent_and_the_connection_closed(films: Client) -> None:
    head = b"POST /recommendations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", films.port), timeout=10) as upload:
        upload.sendall(head + b"Content-Length: 4000000\r\n\r\n{")
        answer = b""
        while part := upload.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close\r\n" in answer.lower()


@pytest.mark.parametrize("route", ROUTES)
def test_many_unknown_fields_are_refused_in_one_sentence(films: Client, route: str) -> None:
    answer = films.post(route, {f"unknown_{number}": number for number in range(4000)})
    error = answer.json["error"]
    assert (answer.status, error["code"], error["field"]) == (422, "invalid_parameter", "body")
    assert "It has 4000 fields; the known ones are exclude, genre, " in error["message"]
    assert len(error["message"]) < 500


@pytest.mark.parametrize(
    "content", [{f"unknown_{number}": 0 for number in range(40_000)}, {"liked": [[]] * 9000}, [{"a": [{}]}] * 2000]
)
def test_a_body_of_very_many_values_is_not_read_to_its_end(films: Client, content: object) -> None:
    error = films.post("/recommendations", content).json["error"]
    assert error["message"] == "The body is not readable as JSON: It has more than 5000 values."


def test_the_longest_lists_are_read(films: Client) -> None:
    lists = {name: list(range(1000)) for name in ("liked", "disliked", "exclude")}
    genres = {name: ["Comedy"] * 50 for name in ("genre", "exclude_genre")}
    assert films.post("/recommendations", {**lists, **genres}).status == 200


def test_a_large_value_is_quoted_by_its_start(films: Client) -> None:
    nested: dict[str, object] = {"k": {str(number): {} for number in range(1000)}}
    message = films.post("/recommendations", {"liked": [nested]}).json["error"]["message"]
    assert message.startswith("liked.0 is {'k': {'0': {}, '1': {}, '2': {}, '3': {}, ...}}: An id is a number")


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_body_is_read_alike_however_large_it_is(films: Client, size: int) -> None:
    def answer(content: bytes) -> tuple[int, object]:
        answered = films.get("/recommendations", "POST", JSON, content + b" " * (size - len(content)))
        return answered.status, answered.json.get("items") or answered.json["error"]["message"]

    assert answer(b'{"liked": [70], "k": 2.0}')[0] == 200
    assert answer(b'{"liked": [70], "k": 0}') == (422, "k is 0: Input should be greater than or equal to 1.")
    assert answer(b'{"liked": [70]') == (422, "The body is not readable as JSON: Expecting ',' delimiter.")
    assert answer(b"[" * 5000) == (422, "The body is not readable as JSON.")


@pytest.mark.long
def test_a_client_that_goes_away_is_counted_apart_and_logged_in_one_line(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    settings = make_settings()
    put_in_cache(settings, write(tmp_path / "served", make_films()))
    with service(settings, tmp_path / "log") as (client, _):
        for route in ROUTES:
            head = f"POST {route} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
            with socket.create_connection(("127.0.0.1", client.port)) as upload:
                upload.sendall(head.encode() + b'{"liked"')

        def counted() -> set[str]:
            return {
                name for name in samples(client.get("/metrics").body.decode()) if "requests_total{method=POST" in name
            }

        wait_until(lambda: len(counted()) == len(ROUTES))
        assert all("status=499}" in name for name in counted())
    log = (tmp_path / "log").read_text()
    assert log.count(" 499 ") == len(ROUTES)
    assert "Traceback" not in log
