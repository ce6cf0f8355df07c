import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from app.http.access import ApiKeyMiddleware, Secrets
from app.settings import Settings
from tests.artifacts import write
from tests.client import Client, put_in_cache, serving
from tests.conftest import MakeSettings
from tests.service import service

OPERATORS = {"/model/reload", "/users/{user_id}", "/versions/{version}/promote"}
OPEN = {"/health/live", "/health/ready", *OPERATORS}
PAGES = ["/docs", "/docs/swagger-ui-bundle.js", "/redoc"]


@pytest.fixture
def guarded(make_settings: MakeSettings) -> Iterator[Client]:
    """A service that knows two keys, and lets the pages of one origin ask."""
    settings = make_settings(api_keys="one, zwei-ü", cors_origins="https://films.example", admin_token="token")
    put_in_cache(settings, write(settings.model_cache_dir.parent / "served"))
    with serving(settings) as client:
        yield client


def test_secrets_are_accepted_whole_or_not_at_all() -> None:
    secrets = Secrets(["one", "two"])
    assert all(secrets.accepts(known) for known in (b"one", b"two"))
    assert not any(secrets.accepts(unknown) for unknown in (b"", b"on", b"onetwo", b"ONE", b"one ", b"\xff"))


def test_where_nothing_is_accepted_everything_is_refused() -> None:
    assert not Secrets([]).accepts(b"")


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "three"}, {"Authorization": "Bearer one"}])
@pytest.mark.parametrize(
    "route", ["/users/1/recommendations", "/users/1/recommendations?offset=0", "/items/changes", "/none"]
)
def test_without_a_known_key_the_answer_is_401(guarded: Client, route: str, headers: Mapping[str, str]) -> None:
    answer = guarded.get(route, headers=headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "ApiKey")
    assert answer.json["error"]["code"] == "unauthorized"
    assert answer.json["error"]["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("route", ["/users/1/recommendations", "/model"])
@pytest.mark.parametrize("key", ["one", "zwei-ü".encode().decode("latin-1"), " one", "one \t "])
def test_every_known_key_is_accepted(guarded: Client, key: str, route: str) -> None:
    assert guarded.get(route, headers={"X-API-Key": key}).status == 200


@pytest.mark.parametrize("route", ["/health/live", "/health/ready", "/metrics", *PAGES, "/openapi.json"])
def test_what_has_no_key_of_its_own_to_send_needs_none(guarded: Client, route: str) -> None:
    assert guarded.get(route).status == 200


@pytest.mark.long
def test_behind_a_proxy_that_serves_it_below_a_path_the_same_is_open(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    with service(make_settings(api_keys="one"), tmp_path / "log", {"UVICORN_ROOT_PATH": "/api"}) as (client, _):
        assert client.get("/docs").status == 200
        assert client.get("/model").status == 401
        assert client.get("/model", headers={"X-API-Key": "one"}).status == 200


def test_the_operator_s_token_needs_no_key_beside_it(guarded: Client) -> None:
    assert guarded.get("/model/reload", "POST", {"Authorization": "Bearer token"}).status == 200
    assert guarded.get("/model/reload", "POST").headers["www-authenticate"] == "Bearer"


def test_deleting_needs_the_operator_s_token_and_no_key_beside_it(guarded: Client) -> None:
    # The service keeps no events: it has let the request in if it says so.
    assert guarded.get("/users/1", "DELETE", {"Authorization": "Bearer token"}).status == 404
    assert guarded.get("/users/1", "DELETE", {"X-API-Key": "one"}).status == 401


@pytest.mark.parametrize(
    ("keys", "may_read", "may_write"),
    [
        ({}, {None, "reading", "writing"}, {None, "reading", "writing"}),
        ({"api_keys": "reading"}, {"reading"}, {"reading"}),
        ({"events_keys": "other, writing"}, {None, "reading", "writing"}, {"writing"}),
        ({"api_keys": "reading", "events_keys": "writing"}, {"reading"}, {"writing"}),
    ],
)
def test_keys_for_writing_are_a_list_of_their_own(
    keys: dict[str, str], may_read: set[str | None], may_write: set[str | None], make_settings: MakeSettings
) -> None:
    with serving(make_settings(**keys)) as service:
        for key in (None, "reading", "writing"):
            headers = {"Content-Type": "application/json"} | ({} if key is None else {"X-API-Key": key})
            assert (service.get("/model", headers=headers).status == 200) == (key in may_read)
            # The service keeps no events, and says so to those who may send some.
            written = service.get("/events", "POST", headers, b'{"events": []}').json["error"]["code"]
            assert (written != "unauthorized") == (key in may_write)


def test_the_document_tells_clients_about_the_keys_for_writing(make_settings: MakeSettings) -> None:
    with serving(make_settings(events_keys="one")) as service:
        paths = service.get("/openapi.json").json["paths"]
    assert paths["/events"]["post"]["security"] == [{"ApiKey": []}]
    assert "security" not in paths["/model"]["get"]


def test_without_the_setting_no_key_is_asked_for(client: Client) -> None:
    assert client.get("/model").status == 200


def test_the_document_tells_clients_about_the_key(guarded: Client, client: Client) -> None:
    document = guarded.get("/openapi.json").json
    assert document["components"]["securitySchemes"]["ApiKey"]["name"] == "X-API-Key"
    for path, operations in document["paths"].items():
        for operation in operations.values():
            needs_key = {"ApiKey": []} in operation.get("security", [])
            assert needs_key == (path not in OPEN), path
            assert ("401" in operation["responses"]) == (needs_key or path in OPERATORS)
    assert "securitySchemes" not in client.get("/openapi.json").json["components"]


def test_a_page_of_a_known_origin_may_ask(guarded: Client) -> None:
    asked = {"Origin": "https://films.example", "X-API-Key": "one"}
    headers = guarded.get("/users/1/recommendations", headers=asked).headers
    assert headers["access-control-allow-origin"] == "https://films.example"
    assert headers["access-control-expose-headers"] == "X-Request-ID, X-Position, X-Recommendation-ID, ETag"


def test_a_browser_asks_for_permission_without_a_key(guarded: Client) -> None:
    asked = {
        "Origin": "https://films.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-api-key",
    }
    answer = guarded.get("/users/1/recommendations", "OPTIONS", asked)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://films.example")


def test_a_page_of_another_origin_may_not_ask(guarded: Client) -> None:
    headers = guarded.get("/health/live", headers={"Origin": "https://elsewhere.example"}).headers
    assert "access-control-allow-origin" not in headers


def test_by_default_no_page_may_ask(client: Client) -> None:
    headers = client.get("/health/live", headers={"Origin": "https://films.example"}).headers
    assert "access-control-allow-origin" not in headers


def test_secrets_are_not_shown(make_settings: MakeSettings) -> None:
    settings: Settings = make_settings(api_keys="one,two", admin_token="three")
    assert not any(secret in repr(settings) for secret in ("one,two", "three"))


@pytest.mark.parametrize(("key", "answers"), [(b"one", ["the application"]), (b"two", ["http.response.start"])])
def test_a_request_is_answered_once_by_the_application_or_by_the_refusal(key: bytes, answers: list[str]) -> None:
    sent: list[str] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        sent.append("the application")

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["type"])

    scope = {"type": "http", "path": "/model", "method": "GET", "headers": [(b"x-api-key", key)]}
    asyncio.run(ApiKeyMiddleware(application, Secrets(["one"]), [], None)(scope, receive, send))
    assert sent == answers


@pytest.mark.parametrize(("keys", "allowed"), [({}, False), ({"catalogue_keys": "ann:secret"}, True)])
def test_other_origins_may_change_films_where_there_are_keys_for_it(
    keys: dict[str, str], allowed: bool, make_settings: MakeSettings
) -> None:
    origin = {"Origin": "https://films.example", "Access-Control-Request-Method": "PATCH"}
    asked = {**origin, "Access-Control-Request-Headers": "if-match, x-api-key"}
    with serving(make_settings(cors_origins="https://films.example", **keys)) as service:
        answer = service.get("/items/1", "OPTIONS", asked)
    assert (answer.status == 200) == allowed
    assert ("PATCH" in answer.headers.get("access-control-allow-methods", "")) == allowed
