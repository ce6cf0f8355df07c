"""docs/api.md: each of its examples is asked of a running service, each of its tables compared with the schemas."""

import argparse
import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import eq
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
from pydantic import SecretStr

from app.main import create_app
from app.settings import Settings
from tests.app.conftest import offline_settings
from tests.client import Client, serving
from tests.processes import PROJECT, wait_until
from tests.registry import TestRegistry
from tests.training.world import change_params
from training.fetch import fetch
from training.prepare import prepare
from training.project import Project
from training.refit import refit
from training.train import train

PAGE = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
OPERATOR = "operator"  # the value of ADMIN_TOKEN
# What another training, another time or another request changes.
CHANGING = {
    "score", "content_hash", "loaded_at", "checked_at", "succeeded_at", "request_id", "page", "registered_at",
    "position", "age_seconds", "lag_seconds",
    "replica", "started_at", "recent_lists", "steps", "recommendation_id", "service_version",
}  # fmt: skip
OWN_TABLES = ("/model", "/versions", "/versions/registered", "/status", "/pleased", "/users/{user_id}/data")
TYPES = {
    "object": "object",
    "integer": "number",
    "number": "number",
    "string": "text",
    "array": "list",
    "boolean": "boolean",
    "null": "null",
}
# What training writes into the version's tags.
GATE = {
    "decision": "production",
    "gate_reason": "beats popularity by +0.1579 [+0.1466, +0.1689] in ndcg@10; there is no live version",
    "gate_metric": "ndcg@10",
    "gate_candidate": "0.238657",
    "gate_popularity": "0.080722",
    "gate_gain_over_popularity": "0.157935",
    "gate_gain_over_popularity_low": "0.146619",
    "gate_gain_over_popularity_high": "0.168864",
}
CURL = argparse.ArgumentParser()
CURL.add_argument("url")
CURL.add_argument("-X", dest="method")
CURL.add_argument("-H", dest="header")
CURL.add_argument("-d", dest="body")


@dataclass(frozen=True)
class Example:
    """A curl command as it stands on the page, and the answer below it."""

    command: str
    answer: str

    def ask(self, client: Client) -> dict[str, Any]:
        asked = CURL.parse_args(shlex.split(self.command.replace("\\\n", ""))[1:])
        headers = dict([asked.header.replace("…", OPERATOR).split(": ")]) if asked.header else {}
        body = asked.body and asked.body.encode()
        url = quote(asked.url.removeprefix("http://127.0.0.1:8000"), safe="/?=&%")
        return client.get(url, asked.method or ("POST" if body else "GET"), headers, body).json

    @property
    def shown(self) -> dict[str, Any]:
        """The answer on the page, without what it says was left out."""
        content: dict[str, Any] = json.loads(self.answer.replace(",…", ""))
        return content

    @property
    def learned(self) -> bool:
        """Whether it is up to the model what films are in the answer."""
        return "recommendations" in self.command or "similar" in self.command


def examples() -> list[Example]:
    blocks = "".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
    found = re.findall(r"^\$ (curl (?:.*\\\n)*.*)\n((?:[^$].*\n)*)", blocks, re.MULTILINE)
    return [Example(*each) for each in found]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A model of the sample, as `make serve` trains it but for the number of epochs."""
    project = Project(tmp_path_factory.mktemp("sample"))
    few = {"models__lightfm__epochs": 2, "models__lightfm__patience": None}
    params = change_params(project, candidates=["lightfm"], **few)
    fetch(params.fetch, params.seed, project.raw)
    prepare(params, project.raw, project.prepared, project.stats)
    train(project, params, "lightfm")
    refit(project, params)
    return project


@pytest.fixture(scope="module")
def client(project: Project, mlflow_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The service with that model, live in a registry."""
    scratch = tmp_path_factory.mktemp("service")
    registry = TestRegistry(mlflow_server, "movie-recommender", scratch)
    registry.register(project.served, alias="production")
    for key, value in GATE.items():
        registry.client.set_model_version_tag(registry.name, "1", key, value)
    settings = Settings(
        mlflow_tracking_uri=mlflow_server,
        model_cache_dir=scratch / "cache",
        admin_token=SecretStr(OPERATOR),
        events_url=SecretStr(f"sqlite:///{scratch}/events.db"),
    )
    with serving(settings) as running:
        wait_until(lambda: running.version() == "1")
        assert running.get("/users/1/recommendations").status == 200  # so that /status has something to tell
        yield running


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.command[5:60])
def test_an_example_is_answered_as_the_page_says(example: Example, client: Client) -> None:
    answer = example.ask(client)
    if not example.answer:
        # The page says: POST /model/reload answers like GET /model.
        assert (answer["version"], answer["registry"]["status"]) == ("1", "ok")
        return
    if "steps" in answer:
        answer["steps"] = [step for step in answer["steps"] if step["requests"]]
    if "…" in example.answer:
        [name] = {"genres", "columns"} & answer.keys()
        answer[name] = answer[name][: len(example.shown[name])]
    assert shape(answer) == shape(example.shown)
    assert stable(answer, example.learned) == stable(example.shown, example.learned)


def test_the_page_shows_films_as_they_are(client: Client) -> None:
    shown = [film for example in examples() if example.answer for film in films(example.shown)]
    assert len(shown) > 10
    for film in shown:
        known = client.get(f"/items/{film['id']}").json
        assert {key: known.get(key) for key in film.keys() & known.keys()} == {
            key: film[key] for key in film.keys() & known.keys()
        }


def shape(content: Any) -> Any:
    """Keys in their order, and types; a list is like its first element. What films share is up to the model."""
    if isinstance(content, dict):
        return [(key, shape(value)) for key, value in content.items() if key != "shared"]
    if isinstance(content, list):
        return [shape(value) for value in content[:1]]
    return type(content)


def stable(content: Any, learned: bool) -> Any:
    """The values that are the same whatever was trained, and when; of a list that a model made, its length."""
    if isinstance(content, list):
        return [stable(value, learned) for value in content]
    if not isinstance(content, dict):
        return content
    kept = {key: stable(value, learned) for key, value in content.items() if key not in CHANGING}
    return kept | {"items": len(content["items"])} if learned and "items" in content else kept


def films(content: Any) -> Iterator[dict[str, Any]]:
    """Every film in an answer."""
    if isinstance(content, dict) and "title" in content:
        yield content
    for value in content.values() if isinstance(content, dict) else content if isinstance(content, list) else ():
        yield from films(value)


def test_interactions_are_the_positives_of_the_training_data(project: Project, client: Client) -> None:
    ratings = pd.read_csv(project.raw / "interactions.csv")
    likes = ratings[ratings["rating"] >= 4].groupby("item_id").size()
    for item in (1, 601, 829):
        assert client.get(f"/items/{item}").json["interactions"] == likes[item]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = offline_settings(tmp_path_factory.mktemp("document"))
    return create_app(settings.model_copy(update={"admin_token": SecretStr(OPERATOR)})).openapi()


ROUTES = re.findall(r"^### `(\w+) (.*)`$", PAGE, re.MULTILINE)


def section(heading: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    level = len(heading.partition(" ")[0])
    return re.split(rf"\n#{{1,{level}}} ", PAGE.partition(f"\n{heading}\n")[2])[0]


def table(text: str, first: str) -> dict[str, list[str]]:
    """The rows of the table with that first heading, by the names in their first cell, without the last cell."""
    lines = text.partition(f"\n| {first} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rows = {name: row[1:-1] for row in cells for name in re.findall("`([^`]+)`", row[0])}
    return rows | (table(section("#### Filters"), "parameter") if "[filters]" in text else {})


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_s_table_lists_its_parameters_with_defaults_and_limits(
    method: str, path: str, document: dict[str, Any]
) -> None:
    operation = document["paths"][path][method.lower()]
    text = section(f"### `{method} {path}`").partition("\n#### ")[0]
    documented = table(text, "parameter") | table(text, "field")
    assert documented == {
        name: [default(schema, needed), limits(schema)] for name, schema, needed in fields(operation, document)
    }


def fields(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Name, schema and whether it is required of every parameter, or field of the body."""
    for parameter in operation.get("parameters", ()):
        yield parameter["name"], parameter["schema"], parameter["required"]
    if "requestBody" in operation:
        yield from body_fields(operation["requestBody"]["content"]["application/json"]["schema"], document)


def body_fields(schema: dict[str, Any], document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Those of an object, and of the objects in its lists."""
    body = resolved(schema, document)
    for name, field in body["properties"].items():
        yield name, field, name in body.get("required", ())
        if "$ref" in field.get("items", {}):
            yield from body_fields(field["items"], document)


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def default(schema: dict[str, Any], required: bool) -> str:
    """As the page writes it."""
    return "required" if required else json.dumps(schema["default"]) if "default" in schema else "none"


def limits(schema: dict[str, Any]) -> str:
    """As the page writes them."""
    schema = schema.get("anyOf", [schema])[0]
    if "minimum" in schema:
        return f"{schema['minimum']:g} to {schema['maximum']:.0f}"
    if "maxLength" in schema:
        return f"{schema['minLength']} to {schema['maxLength']} characters"
    if "minItems" in schema:
        return f"{schema['minItems']} to {schema['maxItems']}"
    most = schema.get("maxItems", schema.get("maxProperties"))
    return "" if most is None else f"up to {most}"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_names_the_errors_that_it_answers(method: str, path: str, document: dict[str, Any]) -> None:
    responses = document["paths"][path][method.lower()]["responses"]
    declared = {
        (status, code)
        for status, response in responses.items()
        for code in response["content"].get("application/json", {}).get("examples", ())
        if status != "500"
    }
    sentence = section(f"### `{method} {path}`").partition("Errors: ")[2].partition(".\n")[0]
    named = {(part[:3], code) for part in re.split(r",\s", sentence) for code in re.findall("`([a-z_]+)`", part)}
    assert named == declared


@pytest.mark.parametrize(
    ("heading", "answers"),
    [
        ("## Fields of the answers", lambda path: not path.startswith(OWN_TABLES)),
        *((f"### `GET {path}`", partial(eq, path)) for path in OWN_TABLES),
    ],
)
def test_the_tables_of_answers_list_every_field_with_its_type(
    heading: str, answers: Callable[[str], bool], document: dict[str, Any]
) -> None:
    schemas = [
        operation["responses"][min(operation["responses"])]["content"]["application/json"]["schema"]
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if answers(path)
    ]
    dotted = heading.startswith("###")
    found = {name: kind for schema in schemas for name, kind in answer_fields(schema, document, dotted=dotted)}
    assert {name: row[0] for name, row in table(section(heading), "answer field").items()} == found


def answer_fields(schema: dict[str, Any], document: dict[str, Any], *, dotted: bool) -> Iterator[tuple[str, str]]:
    """Name and type of every field of an answer and of the objects in it; `dotted` ones have their object's name."""
    for name, field in resolved(schema, document).get("properties", {}).items():
        choices = field.get("anyOf", [field])
        inner = [choice for each in choices for choice in (each, each.get("items", {})) if "$ref" in choice]
        for each in inner:
            for below, kind in answer_fields(each, document, dotted=dotted):
                yield (f"{name}.{below}" if dotted else below), kind
        if not (dotted and inner):
            yield name, " or ".join(TYPES[choice.get("type", "object")] for choice in choices)
