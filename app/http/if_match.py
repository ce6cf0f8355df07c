"""The header If-Match: a change is made only to what its sender has seen."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Header

from app.errors import ServiceError
from app.http.item_content import etag

IfMatch = Annotated[
    str | None, Header(max_length=200, description="The `ETag` of what is meant.", examples=['"5f1d7a84db00d2fc"'])
]


def check_match(
    content: Mapping[str, Any] | None, if_match: str | None, otherwise: type[ServiceError], what: str
) -> None:
    """Raise unless this content, None if there is none, is what the header names; without the header it always is."""
    tags = [] if if_match is None else [each.strip() for each in if_match.split(",")]
    if tags and (content is None or not {"*", etag(content)} & {*tags}):
        raise otherwise(f"The {what} is another than If-Match says: read it again.", field="If-Match")
