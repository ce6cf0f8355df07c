"""Polls the registry, or the folder, at once; the route exists only if ADMIN_TOKEN is set."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import UnauthorizedError
from app.http.access import Secrets
from app.http.dependencies import CurrentFollower, CurrentSettings, CurrentStore
from app.http.error_answers import error_responses
from app.routes.model import description
from app.schemas.status import ModelDescription

SCHEME = "Bearer"
bearer = HTTPBearer(auto_error=False, scheme_name="AdminToken", description="The value of `ADMIN_TOKEN`.")


async def _require_token(
    settings: CurrentSettings, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> None:
    token = settings.admin_token
    if token is None or sent is None or not Secrets([token.get_secret_value()]).accepts(sent.credentials.encode()):
        raise UnauthorizedError("Send the operator's token as a bearer token.", scheme=SCHEME)


router = APIRouter(tags=["model"], dependencies=[Depends(_require_token)])


@router.post("/model/reload", responses=error_responses(UnauthorizedError))
async def reload_model(settings: CurrentSettings, store: CurrentStore, follower: CurrentFollower) -> ModelDescription:
    """Poll the alias, or the folder, at once, load its version, and answer like `GET /model`."""
    state = await asyncio.wrap_future(follower.poll_now())
    return description(settings, store, state)
