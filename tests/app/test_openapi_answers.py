"""Clients can be built from the OpenAPI document: every answer has an example, every field says what it is."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from app.main import create_app
from tests.app.conftest import offline_settings
from tests.client import Client

GENERATOR = "openapi-typescript@7.13.0"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = offline_settings(tmp_path_factory.mktemp("openapi"))
    more = {
        "admin_token": SecretStr("any"),
        "events_url": SecretStr("sqlite:///:memory:"),
        "catalogue_keys": SecretStr("ann:any"),
    }
    return create_app(settings.model_copy(update=more)).openapi()


def answers(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation["responses"][min(operation["responses"])]["content"]


def test_every_answer_has_an_example_that_its_schema_allows(document: dict[str, Any]) -> None:
    found = list(answers(document))
    assert len(found) > 15
    for path, content in found:
        for kind, answer in content.items():
            assert answer.get("example"), path
            if kind == "application/json":
                schema = {**answer["schema"], "components": document["components"]}
                Draft202012Validator(schema).validate(answer["example"])


def test_every_field_says_what_it_is(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    fields = {
        f"{name}.{field}": content
        for name, schema in schemas.items()
        for field, content in schema.get("properties", {}).items()
    }
    assert len(fields) > 80
    assert [name for name, content in fields.items() if not content.get("description")] == []


@pytest.mark.long
def test_a_client_in_python_is_built_from_it_and_works(
    document: dict[str, Any], client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    command = [*generator, "--path", "openapi.json", "--output-path", "films_client"]
    # It formats what it writes with the ruff that it finds.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    recommend = importlib.import_module("films_client.api.recommendations.recommend_for_user")
    with importlib.import_module("films_client").Client(f"http://127.0.0.1:{client.port}") as films:
        answer = recommend.sync("2", client=films, k=3)
    assert [item.id for item in answer.items] == [
        item["id"] for item in client.get("/users/2/recommendations?k=3").json["items"]
    ]


@pytest.mark.long
def test_types_for_typescript_are_built_from_it(document: dict[str, Any], tmp_path: Path) -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("needs npx, of Node.js")
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    command = [npx, "--offline", "--yes", GENERATOR, "openapi.json", "--output", "films.ts"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if "ENOTCACHED" in done.stderr or "ETARGET" in done.stderr:
        pytest.skip(f"needs {GENERATOR} in npm's cache: npx --yes {GENERATOR} --version")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recommend_for_user" in (tmp_path / "films.ts").read_text()
