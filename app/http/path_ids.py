"""Lets a path hold an id of any text: `/users/{user_id:any}/history`."""

from typing import Annotated

from fastapi import Path
from starlette.convertors import PathConvertor, register_url_convertor

from app.schemas.events import StoredPathText
from app.schemas.queries import PathText

UserPath = Annotated[PathText, Path(description="Any text; a slash as %2F.", examples=["42"])]
StoredUserPath = Annotated[StoredPathText, Path(description="Any text; a slash as %2F.", examples=["42"])]


class AnyText(PathConvertor):
    """Matches any text, slashes and line breaks included; Starlette's `path` matches no line break."""

    regex = r"[\s\S]*"


register_url_convertor("any", AnyText())
