"""Polls the registry, or the folder, at once; the route exists only if ADMIN_TOKEN is set."""

import asyncio

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import HTTPBearer

from app.errors import UnauthorizedError
from app.http.access import Secrets
from app.http.dependencies import CurrentFollower, CurrentSettings, CurrentStore
from app.http.error_answers import error_responses
from app.routes.model import description
from app.schemas.status import ModelDescription

SCHEME = "Bearer"
# For the OpenAPI document.
bearer = HTTPBearer(auto_error=False, scheme_name="AdminToken", description="The value of `ADMIN_TOKEN`.")


async def _require_token(request: Request, settings: CurrentSettings) -> None:
    # FastAPI's own reading would strip bytes of letters such as à. It reads headers as Latin-1; `encode` undoes that.
    scheme, _, sent = request.headers.get("Authorization", "").encode("latin-1").partition(b" ")
    token = settings.admin_token
    is_known = token is not None and Secrets([token.get_secret_value()]).accepts(sent.strip(b" \t"))
    if not is_known or scheme.lower() != SCHEME.lower().encode():
        raise UnauthorizedError("Send the operator's token as a bearer token.", scheme=SCHEME)


router = APIRouter(tags=["model"], dependencies=[Security(bearer), Depends(_require_token)])


@router.post("/model/reload", responses=error_responses(UnauthorizedError))
async def reload_model(settings: CurrentSettings, store: CurrentStore, follower: CurrentFollower) -> ModelDescription:
    """Poll the alias, or the folder, at once, load its version, and answer like `GET /model`."""
    state = await asyncio.wrap_future(follower.poll_now())
    return description(settings, store, state)
