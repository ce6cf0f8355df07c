from itertools import product
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException

from app import errors
from app.errors import ModelError, ServiceError
from app.main import create_app
from tests.app.conftest import offline_settings
from tests.client import Client, serving

# A path of each route, and what it answers besides 200 and 500.
ROUTES = {
    "/users/1/recommendations": {400, 422, 503},
    "/users/1/history": {400, 404, 422, 503},
    "/recommendations": {413, 422, 503},
    "/recommendations/batch": {413, 422, 503},
    "/items": {400, 422, 503},
    "/items/popular": {400, 422, 503},
    "/items/10/similar": {400, 404, 422, 503},
    "/items/10": {400, 404, 422, 503},
    "/genres": {503},
    "/model": set(),
    "/health/live": set(),
    "/health/ready": {503},
}
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"]
POSTED = {"/recommendations", "/recommendations/batch"}


def method_of(route: str) -> str:
    return "POST" if route in POSTED else "GET"


LACKING = [(route, method) for route, method in product(ROUTES, METHODS) if method != method_of(route)]


def assert_is_error(answer_json: dict[str, object], code: str) -> None:
    assert list(answer_json) == ["error"]
    error = answer_json["error"]
    assert isinstance(error, dict)
    assert {"code", "message", "request_id"} <= set(error) <= {"code", "message", "request_id", "field"}
    assert error["code"] == code
    assert error["message"].endswith(".")


def template_of(route: str) -> str:
    return route.replace("/users/1/", "/users/{user_id}/").replace("/items/10", "/items/{item_id}")


def routes_of(app: FastAPI) -> dict[str, set[str]]:
    return {path: {method.upper() for method in methods} for path, methods in app.openapi()["paths"].items()}


def test_these_tests_know_every_route(tmp_path: Path) -> None:
    known = {template_of(route): {method_of(route)} for route in ROUTES}
    assert routes_of(create_app(offline_settings(tmp_path))) == known


@pytest.mark.parametrize(("route", "method"), LACKING)
def test_a_method_that_a_route_lacks_is_answered_in_the_one_shape(client: Client, route: str, method: str) -> None:
    answer = client.get(route, method)
    assert (answer.status, answer.headers["allow"]) == (405, method_of(route))
    assert_is_error(answer.json, "method_not_allowed")


@pytest.mark.parametrize(
    "route",
    [
        "/",
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


def test_openapi_documents_the_errors_of_every_route(client: Client) -> None:
    document = client.get("/openapi.json").json
    for route, statuses in ROUTES.items():
        responses = document["paths"][template_of(route)][method_of(route).lower()]["responses"]
        assert {int(status) for status in responses} == {200, 500} | statuses
        for status, response in responses.items():
            if status == "400":  # the server's own answer
                assert response["content"]["text/plain"]["schema"] == {"type": "string"}
                continue
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


def test_operations_have_short_stable_names(tmp_path: Path) -> None:
    routes = create_app(offline_settings(tmp_path)).openapi()["paths"].values()
    names = {operation["operationId"] for route in routes for operation in route.values()}
    assert names == {
        "recommend_for_user", "recommend_for_taste", "recommend_for_users", "list_history", "search_items",
        "list_popular_items", "list_similar_items", "describe_item", "list_genres", "describe_model",
        "is_live", "is_ready",
    }  # fmt: skip


def test_the_documentation_page_is_served(client: Client) -> None:
    assert b"swagger-ui" in client.get("/docs").body


def test_every_error_is_drawn_in_the_tree() -> None:
    for base in (ServiceError, ModelError):
        for error in (base, *base.__subclasses__()):
            assert f"{error.__name__} " in (errors.__doc__ or "")
