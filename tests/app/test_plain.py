"""The fast path and the documented route must not be told apart."""

import pytest

from tests.client import Client

IDS = ["1", "2", "3", "4", "nobody", "%C3%A4", "a%2Fb", "%00", "1%20", "01", "x" * 10_000]


@pytest.mark.parametrize("user_id", IDS)
@pytest.mark.parametrize("k", [1, 3, 10, 100])
def test_the_fast_path_gives_the_bytes_of_the_documented_route(client: Client, user_id: str, k: int) -> None:
    path = f"/users/{user_id}/recommendations?k={k}"
    fast, documented = client.get(path), client.get(f"{path}&offset=0")
    assert fast.status == documented.status == 200
    assert fast.body == documented.body
    assert fast.headers["content-type"] == documented.headers["content-type"]


def test_without_k_there_are_ten(client: Client) -> None:
    assert client.get("/users/1/recommendations").body == client.get("/users/1/recommendations?k=10").body


@pytest.mark.parametrize("query", ["k=0", "k=101", "k=ten", "k=", "k=1&k=2", "k=5&nonsense=1", "k=05", "K=5"])
def test_whatever_is_not_plain_is_answered_by_the_documented_route(client: Client, query: str) -> None:
    asked = (f"/users/1/recommendations?{q}" for q in (query, f"{query}&offset=0"))
    fast, documented = (client.get(path, headers={"X-Request-ID": "same"}) for path in asked)
    assert (fast.status, fast.body) == (documented.status, documented.body)


def test_without_a_model_the_documented_route_explains(empty_client: Client) -> None:
    assert empty_client.get("/users/1/recommendations").status == 503
