import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException

from app.http.error_answers import _field, _quoted
from tests.app.conftest import offline_settings
from tests.client import Answer, Client, serving

METHODS = {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"}


@dataclass(frozen=True)
class Operation:
    """A method of a route, as the OpenAPI document describes it."""

    method: str
    template: str
    content: dict[str, Any]
    body: object = None

    def path(self, any_id: str = "1") -> str:
        """The path with this id."""
        return re.sub(r"{\w+}", any_id, self.template)

    def asked(self, client: Client, any_id: str = "1") -> Answer:
        """The answer to a request about this id."""
        path = self.path(any_id)
        return client.get(path, self.method) if self.body is None else client.post(path, self.body)

    @property
    def statuses(self) -> set[int]:
        """Every status that the document names."""
        return {int(status) for status in self.content["responses"]}


@pytest.fixture(scope="module")
def operations(client: Client) -> list[Operation]:
    document = client.get("/openapi.json").json
    return [
        Operation(method.upper(), path, content, example_of_body(document, content))
        for path, methods in document["paths"].items()
        for method, content in methods.items()
    ]


def example_of_body(document: dict[str, Any], content: dict[str, Any]) -> object:
    if "requestBody" not in content:
        return None
    schema = content["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][schema]["examples"][0]


def assert_is_error(answer_json: dict[str, object], code: str) -> None:
    assert list(answer_json) == ["error"]
    error = answer_json["error"]
    assert isinstance(error, dict)
    assert {"code", "message", "request_id"} <= set(error) <= {"code", "message", "request_id", "field"}
    assert error["code"] == code
    assert error["message"].endswith(".")


def test_a_method_that_a_route_lacks_is_answered_in_the_one_shape(client: Client, operations: list[Operation]) -> None:
    for operation in operations:
        for method in METHODS - {operation.method}:
            answer = client.get(operation.path(), method)
            assert (answer.status, answer.headers["allow"]) == (405, operation.method)
            assert_is_error(answer.json, "method_not_allowed")


@pytest.mark.parametrize(
    "route",
    [
        "/index.html",
        "/nothing",
        "/users",
        "/users/1",
        "/genres/",
        "/recommendations/",
        "/model/",
        "/health",
        "/%00",
        "/é%ff",
        "/" * 9,
    ],
)
def test_an_unknown_route_is_answered_in_the_one_shape(client: Client, route: str) -> None:
    answer = client.get(route.replace("é", "%C3%A9"))
    assert answer.status == 404
    assert_is_error(answer.json, "not_found")


@pytest.mark.parametrize("route", ["/users/1/recommendations", "/health/ready"])
def test_no_model_is_answered_in_the_one_shape(empty_client: Client, route: str) -> None:
    answer = empty_client.get(route)
    assert answer.status == 503
    assert_is_error(answer.json, "no_model")


def test_an_invalid_parameter_is_answered_in_the_one_shape(client: Client) -> None:
    answer = client.get("/users/1/recommendations?k=0")
    assert answer.status == 422
    assert_is_error(answer.json, "invalid_parameter")
    assert answer.json["error"]["field"] == "k"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(RuntimeError("secret"), 500, "internal_error"), (HTTPException(418, "I am a teapot."), 418, "im_a_teapot")],
)
def test_whatever_a_route_raises_is_answered_in_the_one_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(self: object) -> None:
        raise error

    monkeypatch.setattr("app.model.store.ModelStore.require", fail)
    with serving(offline_settings(tmp_path)) as client:
        answer = client.get("/health/ready")
    assert answer.status == status
    assert_is_error(answer.json, code)
    assert b"secret" not in answer.body


def test_openapi_documents_the_errors_of_every_route(
    client: Client, empty_client: Client, operations: list[Operation]
) -> None:
    for operation in operations:
        without_model, unknown = operation.asked(empty_client), operation.asked(client, "unknown")
        success = 202 if operation.template == "/impressions" else 200  # they are stored later
        expected = {success, 500, without_model.status, unknown.status}
        in_address = [each for each in operation.content.get("parameters", ()) if each["in"] != "header"]
        expected |= {400, 422, 431} if in_address else set()
        expected |= {413, 422} if operation.body is not None else set()
        expected |= (
            {422} if empty_client.get(f"{operation.path()}?nonsense=1", operation.method).status == 422 else set()
        )
        # These services keep no events, and have no store that could be down.
        expected |= {503} if operation.template in ("/events", "/users/{user_id}/data", "/pleased") else set()
        # An alias that is not loaded, a placement that nobody has made.
        names = {each["name"] for each in operation.content.get("parameters", ())}
        names |= {"placement"} if operation.template.startswith("/recommendations") else set()
        expected |= {404} if names & {"alias", "placement"} else set()
        assert operation.statuses == expected, operation.template


def test_openapi_documents_every_error_in_the_one_shape(operations: list[Operation]) -> None:
    for status, response in (each for operation in operations for each in operation.content["responses"].items()):
        if status == "400":  # the server's own answer
            assert response["content"]["text/plain"]["schema"] == {"type": "string"}
        else:
            schema = response["content"]["application/json"]["schema"]["$ref"]
            assert schema.endswith("/ErrorAnswer") == (int(status) >= 400)


def test_the_examples_of_errors_are_what_is_answered(client: Client, empty_client: Client) -> None:
    document = client.get("/openapi.json").json
    examples = document["paths"]["/recommendations"]["post"]["responses"]
    asked = {
        "invalid_parameter": client.post("/recommendations", {"k": 0}),
        "items_unknown": client.post("/recommendations", {"liked": [900001]}),
        "no_model": empty_client.post("/recommendations", {"liked": [1]}),
        "body_too_large": client.get("/recommendations", "POST", body=b" " * (1 << 21)),
    }
    for code, answer in asked.items():
        example = examples[str(answer.status)]["content"]["application/json"]["examples"][code]["value"]
        assert answer.json["error"]["code"] == example["error"]["code"] == code
        assert set(example["error"]) >= {"code", "message", "request_id"}


@pytest.mark.parametrize(
    ("query", "end"),
    [
        ("k=0&offset=-1&year_from=x&year_to=x&diversity=2", ""),
        ("k=0&offset=-1&year_from=x&year_to=x&diversity=2&include_seen=maybe&explain=x", " And 2 more."),
    ],
)
def test_five_problems_are_told_and_the_others_counted(client: Client, query: str, end: str) -> None:
    message = client.get(f"/users/1/recommendations?{query}").json["error"]["message"]
    assert message.count(" is '") == 5
    assert message.partition(" And ")[2] == end.removeprefix(" And ")


def test_eighty_characters_are_quoted_and_of_more_the_first() -> None:
    assert _quoted("x" * 78) == f"'{'x' * 78}'"
    assert _quoted("x" * 79) == f"'{'x' * 79}…"
    assert _field({"loc": ("body", "x" * 79)}) == "x" * 79
    assert _field({"loc": ("body", "x" * 90)}) == "x" * 80
    assert _field({"loc": ("body", "a", 3)}) == "a.3"
    assert _field({"loc": ("body",)}) == "body"
