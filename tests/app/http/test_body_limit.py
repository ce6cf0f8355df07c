"""No body above the limit is read."""

import http.client

import pytest

from app.http.body_limit import MAX_BODY_BYTES
from tests.client import Client

JSON = {"Content-Type": "application/json"}
ROUTES = ["/recommendations", "/recommendations/batch"]


def padded(size: int) -> bytes:
    content = b'{"liked": [70], "k": 1'
    return content + b" " * (size - len(content) - 1) + b"}"


def test_a_body_of_the_limit_is_read(films: Client) -> None:
    assert films.get("/recommendations", "POST", JSON, padded(MAX_BODY_BYTES)).status == 200


@pytest.mark.parametrize("route", ROUTES)
def test_a_larger_body_is_refused_in_the_one_shape(films: Client, route: str) -> None:
    answer = films.get(route, "POST", JSON, padded(MAX_BODY_BYTES + 1))
    assert (answer.status, answer.json["error"]["code"]) == (413, "body_too_large")


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
