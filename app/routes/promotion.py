"""Makes a version the live one, as a click in MLflow does; the route exists only if ADMIN_TOKEN is set."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from app.errors import (
    InvalidParameterError,
    PromotionForbiddenError,
    RegistrySilentError,
    UnauthorizedError,
    UnknownVersionError,
)
from app.http.dependencies import CurrentParts
from app.http.error_answers import error_responses
from app.http.operator_token import OPERATOR
from app.http.registry_calls import ask_registry
from app.routes.model import description
from app.schemas.model import ModelDescription

ERRORS = (UnauthorizedError, PromotionForbiddenError, UnknownVersionError, InvalidParameterError, RegistrySilentError)

router = APIRouter(tags=["model"], dependencies=OPERATOR)


@router.post("/versions/{version}/promote", responses=error_responses(*ERRORS))
async def promote_version(
    parts: CurrentParts,
    version: Annotated[str, Path(pattern="^[1-9][0-9]{0,9}$", description="Its number in MLflow.", examples=["3"])],
) -> ModelDescription:
    """Give the version the alias that is served, load it at once, and answer like `GET /model`."""
    if (registry := parts.registry) is None:
        raise UnknownVersionError("This service serves a folder (MODEL_DIR), which has no versions.", field="version")
    await ask_registry(lambda: registry.promote(version), parts.mask)
    state = await asyncio.wrap_future(parts.follower.poll_now())
    return description(parts, state)
