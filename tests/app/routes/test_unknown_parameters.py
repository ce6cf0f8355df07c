import pytest

from tests.client import Client


@pytest.mark.parametrize(
    ("path", "name", "hint"),
    [
        ("/users/1/recommendations?limit=5", "limit", "did you mean k? Its address takes exclude, "),
        ("/users/1/recommendations?k=2&year_form=1990", "year_form", "did you mean year_from? "),
        ("/users/1/history?skip=1", "skip", "did you mean offset? "),
        ("/items?q=film", "q", "did you mean query? "),
        ("/items/popular?banana=1", "banana", "Its address takes exclude, genre, "),
        ("/genres?k=1", "k", "its address takes none."),
    ],
)
def test_an_unknown_query_parameter_is_refused_with_the_name_that_is_meant(
    client: Client, path: str, name: str, hint: str
) -> None:
    answer = client.get(path)
    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["field"]) == (
        422,
        "invalid_parameter",
        name,
    )
    assert answer.json["error"]["message"].startswith(f"{name!r} is not a parameter of this route: {hint}")
