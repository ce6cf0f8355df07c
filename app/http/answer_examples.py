"""Puts an example of every answer into the OpenAPI document, made of the examples of its fields."""

from typing import Any

JSON = "application/json"


def add_examples(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with an example of each JSON answer but errors."""
    schemas = document["components"]["schemas"]
    for methods in document["paths"].values():
        for operation in methods.values():
            success = min(operation["responses"])
            content = operation["responses"][success].get("content", {})
            if JSON in content:
                content[JSON].setdefault("example", example_of(content[JSON]["schema"], schemas))
    return document


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """An example of a schema: the first of its own, or one of all that it must hold."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    if schema["type"] == "array":
        return [example_of(schema["items"], schemas)]
    if schema["type"] == "object":
        fields = schema["properties"]
        return {name: example_of(fields[name], schemas) for name in schema.get("required", fields)}
    return schema.get("const")
