"""Says whether the process is alive, and whether it is ready for requests."""

import time

from fastapi import APIRouter

from app.errors import CatchingUpError, NoModelError, StoppingError
from app.events.feed_state import CATCHING_UP
from app.http.dependencies import CurrentModel, CurrentParts
from app.http.error_answers import error_responses
from app.schemas.model import Liveness, Readiness

router = APIRouter(prefix="/health", tags=["health"])


# Some load balancers ask with HEAD.
@router.head("/live", include_in_schema=False)
@router.get("/live")
async def is_live() -> Liveness:
    """200 as long as the process answers, with or without a model."""
    return Liveness()


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses=error_responses(NoModelError, CatchingUpError, StoppingError))
async def is_ready(parts: CurrentParts, model: CurrentModel) -> Readiness:
    """200 once a model is loaded and all events are read, or their store is down, until the process is told to stop."""
    if parts.stop.has_begun:
        raise StoppingError("The service is stopping; send requests to another replica.")
    if (feed := parts.feed_state) is not None and feed.at(time.time()).status == CATCHING_UP:
        raise CatchingUpError
    return Readiness(model_version=model.version)
