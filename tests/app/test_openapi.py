"""Programs can use the OpenAPI document: it is valid, and has names, tags and examples."""

from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.main import create_app
from app.schemas import items, lists, users
from tests.app.conftest import offline_settings


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return create_app(offline_settings(tmp_path_factory.mktemp("openapi"))).openapi()


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_has_a_name_of_its_own_a_tag_and_a_sentence(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document)]
    assert len(names) == len(set(names))
    for operation in operations(document):
        assert operation["operationId"].isidentifier()
        assert operation["tags"]
        assert operation["description"]


def test_every_parameter_has_an_example_a_sentence_and_limits(document: dict[str, Any]) -> None:
    for operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], parameter
            assert parameter["schema"].get("examples") or parameter.get("examples"), parameter
            assert limited(parameter["schema"]), parameter


def test_every_field_of_a_body_has_an_example_a_sentence_and_limits(document: dict[str, Any]) -> None:
    for operation in operations(document):
        if "requestBody" in operation:
            name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"][name]
            assert schema["examples"]
            assert schema["additionalProperties"] is False
            for field in fields(schema, document["components"]["schemas"]):
                assert field["description"], field
                assert field["examples"], field
                assert limited(field), field


def fields(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The fields of a body, and those of the objects in its lists."""
    for field in schema["properties"].values():
        inner = field.get("items", {}).get("$ref", "").rpartition("/")[2]
        if inner:
            assert schemas[inner]["additionalProperties"] is False
            yield from fields(schemas[inner], schemas)
        yield field


def test_every_field_of_an_answer_has_an_example_or_speaks_for_itself(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"].keys() & {*vars(items), *vars(lists), *vars(users)}
    assert names >= {"Recommendations", "RecommendedItem", "FoundItem", "History"}
    for name in names:
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            if schema.get("type") != "array" or "$ref" not in schema["items"]:
                assert schema["examples"], (name, field)


def limited(schema: dict[str, Any]) -> bool:
    """Whether there is no value that is too large to be one."""
    if "$ref" in schema or "enum" in schema or schema.get("format") in ("date", "date-time"):
        return True
    if "anyOf" in schema:
        return all(limited(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return "maxItems" in schema and limited(schema["items"])
    if schema.get("type") == "object":
        return "maxProperties" in schema and limited(schema["additionalProperties"])
    # A whole number that is an id may be any: it is as long as its text, and that is limited by address and body.
    bounds = {"string": "maxLength", "number": "maximum", "integer": "type", "boolean": "type", "null": "type"}
    return bounds[schema["type"]] in schema
