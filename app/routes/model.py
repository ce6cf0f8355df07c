"""Describes the loaded version, and how following the registry goes."""

import time
from dataclasses import asdict, replace

from fastapi import APIRouter

from app.contract.version import VERSION
from app.events.feed_state import FeedState
from app.http.dependencies import CurrentParts
from app.http.parts import Parts
from app.mask import Mask
from app.registry.follower import FollowerState
from app.schemas.model import EventsState, ModelDescription, ModelProblem, RegistryState
from app.schemas.versions import LoadedVersion

router = APIRouter(tags=["model"])


@router.get("/model")
async def describe_model(parts: CurrentParts) -> ModelDescription:
    """The loaded version, and the outcome of the last registry poll; the version is null before the first model."""
    return description(parts, parts.follower.state)


def description(parts: Parts, state: FollowerState) -> ModelDescription:
    """The answer of `describe_model`."""
    settings, mask, feed = parts.settings, parts.mask, parts.feed_state
    known = state.last_problem
    model = parts.store.current
    problem = None if known is None else ModelProblem(**asdict(replace(known, message=mask(known.message))))
    return ModelDescription(
        service_version=VERSION,
        name=settings.model_name,
        alias=settings.model_alias.lower() if settings.model_dir is None else None,
        **(dict.fromkeys(LoadedVersion.model_fields) if model is None else dict(model.described)),
        registry=_registry_state(state, mask),
        last_problem=problem,
        events=None if feed is None else _events_state(feed, mask),
    )


def _events_state(feed: FeedState, mask: Mask) -> EventsState:
    feed = feed.at(now := time.time())
    lag = None if feed.caught_up_at is None else max(0.0, now - feed.caught_up_at)
    problem = None if feed.problem is None else mask(feed.problem)
    return EventsState(status=feed.status, position=feed.position, lag_seconds=lag, last_problem=problem)


def _registry_state(state: FollowerState, mask: Mask) -> RegistryState:
    checked = state.checked_at
    return RegistryState(
        status=state.status,
        checked_at=checked,
        age_seconds=None if checked is None else max(0.0, time.time() - checked.timestamp()),
        succeeded_at=state.succeeded_at,
        warning=None if state.warning is None else mask(state.warning),
    )
