"""The dependencies of routes."""

from typing import Annotated, Any

from fastapi import Depends, Request

from app.errors import EventsDisabledError
from app.events.exposures import Exposures
from app.events.feed import Feed
from app.events.feed_state import FeedState
from app.events.profiles import Profiles
from app.events.writer import EventWriter
from app.http.lanes import Lanes
from app.http.shutdown import GracefulStop
from app.mask import Mask
from app.model.store import ModelStore, ServedModel
from app.observability.recent_figures import RecentFigures
from app.observability.telemetry import Telemetry
from app.registry.challenger import Challenger
from app.registry.follower import Follower, FollowerState
from app.registry.loaded import LoadedVersions
from app.registry.mlflow_registry import Registry
from app.settings import Settings


def _from_state(name: str) -> Any:  # noqa: ANN401 - the annotations below name the types
    """A dependency on an attribute of the application's state."""

    # A coroutine, because FastAPI runs plain functions in a thread pool, which takes longer.
    async def get(request: Request) -> Any:  # noqa: ANN401
        return getattr(request.app.state, name)

    return Depends(get)


async def _required_model(request: Request) -> ServedModel:
    store: ModelStore = request.app.state.store
    return store.require()


async def _event_writer(request: Request) -> EventWriter:
    writer: EventWriter | None = request.app.state.event_writer
    if writer is None:
        raise EventsDisabledError("This service keeps no events: EVENTS_URL is off.")
    return writer


async def _feed_state(request: Request) -> FeedState | None:
    feed: Feed | None = request.app.state.feed
    return None if feed is None else feed.state


async def _follower_state(request: Request) -> FollowerState:
    follower: Follower = request.app.state.follower
    return follower.state


CurrentMask = Annotated[Mask, _from_state("mask")]
CurrentSettings = Annotated[Settings, _from_state("settings")]
CurrentStore = Annotated[ModelStore, _from_state("store")]
# One model answers the whole request, even if a swap happens meanwhile.
CurrentModel = Annotated[ServedModel, Depends(_required_model)]
CurrentEventWriter = Annotated[EventWriter, Depends(_event_writer)]
CurrentLanes = Annotated[Lanes, _from_state("lanes")]
CurrentProfiles = Annotated[Profiles, _from_state("profiles")]
CurrentFeed = Annotated[Feed | None, _from_state("feed")]
CurrentFeedState = Annotated[FeedState | None, Depends(_feed_state)]
CurrentChallenger = Annotated[Challenger | None, _from_state("challenger")]
CurrentExposures = Annotated[Exposures | None, _from_state("exposures")]
CurrentTelemetry = Annotated[Telemetry, _from_state("telemetry")]
CurrentFollower = Annotated[Follower, _from_state("follower")]
CurrentFollowerState = Annotated[FollowerState, Depends(_follower_state)]
CurrentRegistry = Annotated[Registry | None, _from_state("registry")]
CurrentVersions = Annotated[LoadedVersions, _from_state("versions")]
CurrentFigures = Annotated[RecentFigures, _from_state("figures")]
CurrentStop = Annotated[GracefulStop, _from_state("stop")]
