"""Polls the registry, or the folder, at once; the route exists only if ADMIN_TOKEN is set."""

import asyncio

from fastapi import APIRouter

from app.errors import UnauthorizedError
from app.http.dependencies import CurrentFeed, CurrentFollower, CurrentMask, CurrentSettings, CurrentStore
from app.http.error_answers import error_responses
from app.http.operator_token import OPERATOR
from app.routes.model import description
from app.schemas.status import ModelDescription

router = APIRouter(tags=["model"], dependencies=OPERATOR)


@router.post("/model/reload", responses=error_responses(UnauthorizedError))
async def reload_model(
    settings: CurrentSettings, mask: CurrentMask, store: CurrentStore, follower: CurrentFollower, feed: CurrentFeed
) -> ModelDescription:
    """Poll the alias, or the folder, at once, load its version, and answer like `GET /model`."""
    state = await asyncio.wrap_future(follower.poll_now())
    return description(settings, mask, store, state, None if feed is None else feed.state)
