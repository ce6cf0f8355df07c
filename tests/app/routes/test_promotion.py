"""A version is made the live one through the service, and MLflow is left as our commands leave it."""

from collections.abc import Iterator

import pytest

from tests.client import Answer, Client, serving
from tests.conftest import MakeSettings
from tests.processes import wait_until
from tests.registry import TestRegistry

TOKEN = {"Authorization": "Bearer the token"}


def promote(client: Client, version: str, headers: dict[str, str] = TOKEN) -> Answer:
    return client.get(f"/versions/{version}/promote", "POST", headers)


@pytest.fixture
def promoter(registry: TestRegistry, make_settings: MakeSettings) -> Iterator[Client]:
    """A service that has version 1, whose alias somebody has spelled in capitals; there is a version 2."""
    registry.register(alias="Production")
    registry.register()
    with serving(make_settings(registry, admin_token="the token", model_poll_seconds=3600)) as client:
        wait_until(lambda: client.version() == "1")
        yield client


def registered(client: Client) -> dict[str, list[str]]:
    return {each["version"]: each["aliases"] for each in client.get("/versions/registered").json["versions"]}


def test_a_promoted_version_is_live_at_once_and_the_former_one_is_previous(
    promoter: Client, registry: TestRegistry
) -> None:
    assert registered(promoter) == {"2": [], "1": ["Production"]}
    assert [promote(promoter, "2", headers).status for headers in ({}, {"Authorization": "Bearer another"})] == [
        401,
        401,
    ]
    assert registered(promoter) == {"2": [], "1": ["Production"]}
    answer = promote(promoter, "2")
    assert (answer.status, answer.json["version"]) == (200, "2")
    assert registered(promoter) == {"2": ["production"], "1": ["previous"]}
    assert registry.client.get_registered_model(registry.name).tags["seen_live"] == "2"
    assert promote(promoter, "2").status == 200  # once more changes nothing
    assert registered(promoter) == {"2": ["production"], "1": ["previous"]}
    missing = promote(promoter, "3")
    assert (missing.status, missing.json["error"]["code"]) == (404, "version_unknown")
    assert registered(promoter) == {"2": ["production"], "1": ["previous"]}


def test_without_mlflow_nothing_is_promoted_and_the_answer_says_so(make_settings: MakeSettings) -> None:
    with serving(make_settings(admin_token="the token")) as client:
        answers = [promote(client, "1"), client.get("/versions/registered")]
    assert [(each.status, each.json["error"]["code"]) for each in answers] == [(503, "registry_unavailable")] * 2


def test_a_folder_has_no_versions_to_promote(
    make_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = make_settings(admin_token="the token", model_dir=tmp_path_factory.mktemp("folder"))
    with serving(settings) as client:
        assert client.get("/versions/registered").json == {"versions": []}
        assert promote(client, "1").json["error"]["code"] == "version_unknown"


def test_without_a_token_in_the_settings_nobody_promotes(client: Client) -> None:
    assert promote(client, "1").status == 404
    assert not any("promote" in path for path in client.get("/openapi.json").json["paths"])
