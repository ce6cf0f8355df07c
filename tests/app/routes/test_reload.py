import socket
import threading
from collections.abc import Mapping

import pytest

from tests.client import Answer, Client, serving
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.registry import TestRegistry
from tests.service import polls

TOKEN = {"Authorization": "Bearer the token"}


def reload(client: Client, headers: Mapping[str, str] = TOKEN) -> Answer:
    return client.get("/model/reload", "POST", headers)


def test_without_a_token_in_the_settings_there_is_no_such_route(client: Client) -> None:
    answer = reload(client)
    assert (answer.status, answer.json["error"]["code"]) == (404, "not_found")
    assert "/model/reload" not in client.get("/openapi.json").json["paths"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer another"},
        {"Authorization": "Basic the token"},
        {"X-API-Key": "the token"},
    ],
)
def test_without_the_token_the_answer_is_401(make_settings: MakeSettings, headers: Mapping[str, str]) -> None:
    with serving(make_settings(admin_token="the token")) as client:
        answer = reload(client, headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json["error"]["code"] == "unauthorized"


@pytest.mark.parametrize("token", ["the token", "zwei-ü", " \tone\n", "日本", "a=b:c,d", "voilà"])
def test_any_token_that_the_settings_take_works(make_settings: MakeSettings, token: str) -> None:
    sent = token.strip(" \t\n").encode().decode("latin-1")
    with serving(make_settings(admin_token=token)) as client:
        assert reload(client, {"Authorization": f"Bearer {sent}"}).status == 200


def test_the_alias_is_looked_at_at_once(registry: TestRegistry, make_settings: MakeSettings) -> None:
    registry.register(alias="production")
    with serving(make_settings(registry, admin_token="the token", model_poll_seconds=3600)) as client:
        wait_until(lambda: client.version() == "1")
        registry.register(alias="production")
        answer = reload(client)
        assert answer.status == 200
        assert (answer.json["version"], answer.json["registry"]["status"]) == ("2", "ok")
        registry.client.delete_registered_model_alias(registry.name, "production")
        answer = reload(client)
    assert (answer.json["version"], answer.json["registry"]["status"]) == ("2", "alias_missing")
    assert answer.json["last_problem"]["message"] == "No version has the alias 'production'."


def test_a_registry_that_is_down_is_the_outcome(make_settings: MakeSettings) -> None:
    with serving(make_settings(admin_token="the token", model_poll_seconds=3600)) as client:
        answer = reload(client)
    assert (answer.status, answer.json["registry"]["status"]) == (200, "registry_unavailable")


def test_many_who_ask_at_once_share_polls(registry: TestRegistry, make_settings: MakeSettings) -> None:
    registry.register(alias="production")
    with serving(make_settings(registry, admin_token="the token", model_poll_seconds=3600)) as client:
        wait_until(lambda: client.version() == "1")
        answers: list[Answer] = []
        threads = [threading.Thread(target=lambda: answers.append(reload(client))) for _ in range(20)]
        before = polls(client)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= polls(client) - before < 20
    assert [answer.json["registry"]["status"] for answer in answers] == ["ok"] * 20


def test_others_are_answered_while_a_poll_blocks(make_settings: MakeSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = make_settings(admin_token="the token", mlflow_tracking_uri=uri, registry_timeout_seconds=3)
        with serving(settings) as client:
            answers: list[Answer] = []
            asking = threading.Thread(target=lambda: answers.append(reload(client)))
            asking.start()
            assert client.get("/health/live").status == 200
            assert answers == []
            asking.join()
    assert answers[0].json["registry"]["status"] == "registry_unavailable"
