"""Polls the registry, or the folder, at once; the route exists only if ADMIN_TOKEN is set."""

import asyncio

from fastapi import APIRouter

from app.errors import UnauthorizedError
from app.http.dependencies import CurrentParts
from app.http.error_answers import error_responses
from app.http.operator_token import OPERATOR
from app.routes.model import description
from app.schemas.model import ModelDescription

router = APIRouter(tags=["model"], dependencies=OPERATOR)


@router.post("/model/reload", responses=error_responses(UnauthorizedError))
async def reload_model(parts: CurrentParts) -> ModelDescription:
    """Poll the alias, or the folder, at once, load its version, and answer like `GET /model`."""
    state = await asyncio.wrap_future(parts.follower.poll_now())
    return description(parts, state)
