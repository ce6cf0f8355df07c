from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException

from app import errors
from app.errors import ModelError, ServiceError
from app.main import create_app
from tests.app.conftest import offline_settings
from tests.client import Client, serving

ROUTES = ["/users/1/recommendations", "/model", "/health/live", "/health/ready"]


def assert_is_error(answer_json: dict[str, object], code: str) -> None:
    assert list(answer_json) == ["error"]
    error = answer_json["error"]
    assert isinstance(error, dict)
    assert {"code", "message"} <= set(error) <= {"code", "message", "field"}
    assert error["code"] == code
    assert error["message"].endswith(".")


def routes_of(app: FastAPI) -> set[str]:
    return set(app.openapi()["paths"])


def test_these_tests_know_every_route(tmp_path: Path) -> None:
    known = {route.replace("/users/1/", "/users/{user_id}/") for route in ROUTES}
    assert routes_of(create_app(offline_settings(tmp_path))) == known


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_method_that_a_route_lacks_is_answered_in_the_one_shape(client: Client, route: str, method: str) -> None:
    answer = client.get(route, method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert_is_error(answer.json, "method_not_allowed")


@pytest.mark.parametrize(
    "route", ["/", "/nothing", "/users", "/users/1", "/model/", "/health", "/%00", "/é%ff", "/" * 9]
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

    monkeypatch.setattr("app.store.ModelStore.require", fail)
    with serving(offline_settings(tmp_path)) as client:
        answer = client.get("/health/ready")
    assert answer.status == status
    assert_is_error(answer.json, code)
    assert b"secret" not in answer.body


def test_openapi_documents_the_errors_of_every_route(client: Client) -> None:
    document = client.get("/openapi.json").json
    statuses = {path: set(item["get"]["responses"]) for path, item in document["paths"].items()}
    assert statuses == {
        "/users/{user_id}/recommendations": {"200", "422", "500", "503"},
        "/model": {"200", "500"},
        "/health/live": {"200", "500"},
        "/health/ready": {"200", "500", "503"},
    }
    for item in document["paths"].values():
        for status, response in item["get"]["responses"].items():
            schema = response["content"]["application/json"]["schema"]["$ref"]
            assert schema.endswith("/ErrorAnswer") == (int(status) >= 400)


def test_operations_have_short_stable_names(tmp_path: Path) -> None:
    routes = create_app(offline_settings(tmp_path)).openapi()["paths"].values()
    names = {route["get"]["operationId"] for route in routes}
    assert names == {"recommend_for_user", "describe_model", "is_live", "is_ready"}


def test_the_documentation_page_is_served(client: Client) -> None:
    assert b"swagger-ui" in client.get("/docs").body


def test_every_error_is_drawn_in_the_tree() -> None:
    for base in (ServiceError, ModelError):
        for error in (base, *base.__subclasses__()):
            assert f"{error.__name__} " in (errors.__doc__ or "")
