"""Two questions: is the process alive, and may it get requests."""

from fastapi import APIRouter

from app.errors import NoModelError, StoppingError
from app.http.dependencies import CurrentModel, CurrentStop
from app.http.error_answers import error_responses
from app.schemas.status import Live, Ready

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def is_live() -> Live:
    """200 as long as the process answers; a model is not needed."""
    return Live()


@router.get("/ready", responses=error_responses(NoModelError, StoppingError))
async def is_ready(model: CurrentModel, stop: CurrentStop) -> Ready:
    """200 once a model is loaded, until the process is told to end."""
    if stop.has_begun:
        raise StoppingError("The service is about to end; send requests to another.")
    return Ready(model_version=model.version)
