"""The front door answers exactly as the documented route does."""

import pytest

from app.http.user_queries import LONGEST
from tests.client import Client

IDS = ["1", "2", "3", "4", "nobody", "%C3%A4", "a%2Fb", "%00", "%ff", "1%20", "01", "x" * 10_000, "x" * 20_000]
FOR_THE_ROUTE = "&exclude=" + "x" * LONGEST  # an item that there isn't
ASKED = [
    "k=1", "k=3", "k=10", "k=100", "k=3&offset=1", "k=3&offset=1000", "genre=comedy", "genre=Comedy&genre=horror&k=2",
    "genre=Western", "exclude_genre=Horror", "year_from=1995&year_to=1999", "exclude=10&exclude=nobody&exclude=20",
    "include_seen=true", "include_seen=1&k=2", "diversity=0.5", "diversity=1&genre=Comedy", "explain=true",
    "explain=no", "k=2&k=3", "genre=S%63i-Fi", "genre=Sci%2DFi&k=+3", "k=%33",
]  # fmt: skip
REFUSED = [
    "nonsense=1", "k=0", "k=101", "k=ten", "k=", "k=1.5", "k=1&k=0", "offset=-1", "offset=1001", "genre=",
    "year_from=x", "year_to=10000", "exclude=", "diversity=2", "diversity=nan", "include_seen=maybe", "explain=",
    "genre=" + "x" * 201,
    "&".join(f"genre={n}" for n in range(51)),
]  # fmt: skip


@pytest.mark.parametrize("user_id", IDS)
@pytest.mark.parametrize("query", ["k=3", "k=100", "k=5&genre=Comedy"])
def test_for_every_kind_of_id_the_bytes_are_those_of_the_documented_route(
    films: Client, user_id: str, query: str
) -> None:
    assert_same(films, f"/users/{user_id}/recommendations?{query}")


@pytest.mark.parametrize("query", ASKED)
@pytest.mark.parametrize("user_id", ["1", "2", "3"])
def test_for_every_query_the_bytes_are_those_of_the_documented_route(films: Client, user_id: str, query: str) -> None:
    assert assert_same(films, f"/users/{user_id}/recommendations?{query}") == 200


@pytest.mark.parametrize("query", REFUSED)
def test_every_refusal_is_that_of_the_documented_route(films: Client, query: str) -> None:
    assert assert_same(films, f"/users/1/recommendations?{query}") == 422


def test_without_parameters_there_are_ten(client: Client) -> None:
    assert client.get("/users/1/recommendations").body == client.get("/users/1/recommendations?k=10").body


def test_without_a_model_the_documented_route_explains(empty_client: Client) -> None:
    assert empty_client.get("/users/1/recommendations").status == 503


def assert_same(client: Client, path: str) -> int:
    direct, documented = (client.get(one, headers={"X-Request-ID": "same"}) for one in (path, path + FOR_THE_ROUTE))
    assert direct.status == documented.status
    assert direct.body == documented.body
    for answer in (direct, documented):
        assert answer.headers.pop("date")
    assert direct.headers == documented.headers
    return direct.status
