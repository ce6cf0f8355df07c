"""POST /recommendations with what is known of somebody, and GET /columns, which says what may be sent."""

from typing import Any

import pytest

from tests.client import Answer, Client

UPPER, LOWER = [10, 20, 30, 40, 50, 60, 70, 80], [80, 70, 60, 50, 40, 30, 20, 10]


def ask(client: Client, **request: Any) -> Answer:
    return client.post("/recommendations", request)


@pytest.mark.parametrize(
    ("attributes", "ids"),
    [
        ({"sex": "m"}, UPPER),
        ({"sex": "f", "age": None}, LOWER),
        ({"age": 17.5}, LOWER),
        ({"joined": "2020-01"}, UPPER),
        ({"taste": [0, 1]}, LOWER),
        ({"taste": [0.5, 0], "age": 99}, UPPER),
    ],
)
def test_somebody_without_a_like_gets_what_attributes_say(films: Client, attributes: Any, ids: list[int]) -> None:
    answer = ask(films, attributes=attributes)
    assert [item["id"] for item in answer.json["items"]] == ids
    assert answer.json["source"] == "fold_in"


def test_attributes_that_say_nothing_give_popular_films_and_a_like_goes_before_them(films: Client) -> None:
    assert ask(films, attributes={"sex": "x", "age": 18}).json["source"] == "popular"
    assert [item["id"] for item in ask(films, liked=[80], attributes={"sex": "m"}).json["items"]] == LOWER[1:]
    assert [item["id"] for item in ask(films, disliked=[20], attributes={"sex": "m"}, k=2).json["items"]] == [10, 30]


@pytest.mark.parametrize(
    ("attributes", "field", "message"),
    [
        ({"age": 30, "shoe": 42}, "attributes.shoe", "shoe is no attribute; known are sex, joined, taste, age."),
        ({"age": "30"}, "attributes.age", "age is '30'; expected a number"),
        ({"sex": 1}, "attributes.sex", "sex is 1; expected a text"),
        ({"joined": "soon"}, "attributes.joined", "joined is 'soon'; expected a date"),
        ({"taste": [1]}, "attributes.taste", "taste is [1]; expected a list of 2 numbers"),
        ({"taste": [1, "2"]}, "attributes.taste", "taste is '2'; expected a number"),
        ({"\ud800": 1}, "attributes.?", "is no attribute"),
        ([], "attributes", "attributes"),
    ],
)
def test_an_attribute_that_is_wrong_is_named(films: Client, attributes: Any, field: str, message: str) -> None:
    answer = ask(films, attributes=attributes, liked=[10])
    assert (answer.status, answer.json["error"]["field"]) == (422, field)
    assert message in answer.json["error"]["message"]


def test_a_model_that_knows_none_says_so_and_unknown_films_are_not_made_up_for(films: Client, client: Client) -> None:
    assert "attributes.age is no attribute; the model knows none." in ask(client, attributes={"age": 1}).body.decode()
    assert ask(films, liked=[99], attributes={"sex": "m"}).json["error"]["code"] == "items_unknown"


def test_columns_describe_the_attributes(films: Client, client: Client) -> None:
    assert films.get("/columns").json["attributes"] == [
        {"name": "sex", "type": "tag", "values": ["m", "f"]},
        {"name": "joined", "type": "time", "values": []},
        {"name": "taste", "type": "vector", "values": []},
        {"name": "age", "type": "number", "values": []},
    ]
    assert client.get("/columns").json["attributes"] == []
