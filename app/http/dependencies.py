"""What routes get handed."""

from typing import Annotated, Any

from fastapi import Depends, Request

from app.http.shutdown import GracefulStop
from app.model.store import ModelStore, ServedModel
from app.observability.telemetry import Telemetry
from app.registry.follower import Follower, FollowerState
from app.settings import Settings


def _kept(name: str) -> Any:  # noqa: ANN401 - what it hands out, the annotations below say
    """A dependency on something of the application's state."""

    # A coroutine, although it awaits nothing: FastAPI sends plain functions through a thread pool.
    async def get(request: Request) -> Any:  # noqa: ANN401
        return getattr(request.app.state, name)

    return Depends(get)


async def _required_model(request: Request) -> ServedModel:
    store: ModelStore = request.app.state.store
    return store.require()


async def _follower_state(request: Request) -> FollowerState:
    follower: Follower = request.app.state.follower
    return follower.state


CurrentSettings = Annotated[Settings, _kept("settings")]
CurrentStore = Annotated[ModelStore, _kept("store")]
# The model that answers this request from its beginning to its end.
CurrentModel = Annotated[ServedModel, Depends(_required_model)]
CurrentTelemetry = Annotated[Telemetry, _kept("telemetry")]
CurrentFollower = Annotated[Follower, _kept("follower")]
CurrentFollowerState = Annotated[FollowerState, Depends(_follower_state)]
CurrentStop = Annotated[GracefulStop, _kept("stop")]
