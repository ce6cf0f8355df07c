"""What routes get handed."""

from typing import Annotated

from fastapi import Depends, Request

from app.follower import Follower, FollowerState
from app.settings import Settings
from app.stopping import GracefulStop
from app.store import ModelStore, ServedModel
from app.telemetry import Telemetry

# Coroutines, although they await nothing: FastAPI sends plain functions through a thread pool.


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _store(request: Request) -> ModelStore:
    store: ModelStore = request.app.state.store
    return store


async def _required_model(request: Request) -> ServedModel:
    store: ModelStore = request.app.state.store
    return store.require()


async def _telemetry(request: Request) -> Telemetry:
    telemetry: Telemetry = request.app.state.telemetry
    return telemetry


async def _follower(request: Request) -> Follower:
    follower: Follower = request.app.state.follower
    return follower


async def _follower_state(request: Request) -> FollowerState:
    follower: Follower = request.app.state.follower
    return follower.state


async def _stop(request: Request) -> GracefulStop:
    stop: GracefulStop = request.app.state.stop
    return stop


CurrentSettings = Annotated[Settings, Depends(_settings)]
CurrentStore = Annotated[ModelStore, Depends(_store)]
# The model that answers this request from its beginning to its end.
CurrentModel = Annotated[ServedModel, Depends(_required_model)]
CurrentTelemetry = Annotated[Telemetry, Depends(_telemetry)]
CurrentFollower = Annotated[Follower, Depends(_follower)]
CurrentFollowerState = Annotated[FollowerState, Depends(_follower_state)]
CurrentStop = Annotated[GracefulStop, Depends(_stop)]
