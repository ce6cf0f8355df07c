"""Says whether the process is alive, and whether it is ready for requests."""

from fastapi import APIRouter

from app.errors import NoModelError, StoppingError
from app.http.dependencies import CurrentModel, CurrentStop
from app.http.error_answers import error_responses
from app.schemas.status import Liveness, Readiness

router = APIRouter(prefix="/health", tags=["health"])


# Some load balancers ask with HEAD.
@router.head("/live", include_in_schema=False)
@router.get("/live")
async def is_live() -> Liveness:
    """200 as long as the process answers, with or without a model."""
    return Liveness()


@router.head("/ready", include_in_schema=False)
@router.get("/ready", responses=error_responses(NoModelError, StoppingError))
async def is_ready(model: CurrentModel, stop: CurrentStop) -> Readiness:
    """200 once a model is loaded, until the process is told to stop."""
    if stop.has_begun:
        raise StoppingError("The service is stopping; send requests to another replica.")
    return Readiness(model_version=model.version)
