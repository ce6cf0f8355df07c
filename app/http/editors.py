"""Lets only editors in, who send a key of CATALOGUE_KEYS, and tells who they are."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from app.errors import UnauthorizedError
from app.http.access import API_KEY_HEADER, Secrets, without_blanks
from app.http.dependencies import CurrentEventWriter, CurrentModel, CurrentParts
from app.http.if_match import IfMatch
from app.setting_types import named_keys


async def _editor(request: Request, parts: CurrentParts) -> str:
    sent = without_blanks(request.headers.get(API_KEY_HEADER, "").encode("latin-1"))
    keys = parts.settings.catalogue_keys
    names = [name for name, key in named_keys(keys.get_secret_value() if keys else "") if Secrets([key]).accepts(sent)]
    if not names:
        raise UnauthorizedError(f"Send an editor's key in the header {API_KEY_HEADER}.", scheme="ApiKey")
    return names[0]


Editor = Annotated[str, Depends(_editor)]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Who changes something, and what the service needs for it."""

    parts: CurrentParts
    model: CurrentModel
    editor: Editor
    writer: CurrentEventWriter
    response: Response
    if_match: IfMatch = None
