"""Describes the loaded version, and how following the registry goes."""

import time
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from app.contract.version import VERSION
from app.events.feed_state import FeedState
from app.http.dependencies import CurrentFeedState, CurrentFollowerState, CurrentSettings, CurrentStore
from app.model.store import ModelStore, ServedModel
from app.registry.follower import FollowerState
from app.schemas.status import EventsState, ModelDescription, ModelProblem, RegistryState
from app.settings import Settings

router = APIRouter(tags=["model"])


@router.get("/model")
async def describe_model(
    settings: CurrentSettings, store: CurrentStore, state: CurrentFollowerState, feed: CurrentFeedState
) -> ModelDescription:
    """The loaded version, and the outcome of the last registry poll; the version is null before the first model."""
    return description(settings, store, state, feed)


def description(
    settings: Settings, store: ModelStore, state: FollowerState, feed: FeedState | None
) -> ModelDescription:
    """The answer of `describe_model`."""
    problem = state.last_problem
    return ModelDescription(
        service_version=VERSION,
        name=settings.model_name,
        alias=settings.model_alias.lower() if settings.model_dir is None else None,
        **_details(store.current),
        registry=_registry_state(state),
        last_problem=None if problem is None else ModelProblem(**asdict(problem)),
        events=None if feed is None else _events_state(feed),
    )


def _events_state(feed: FeedState) -> EventsState:
    feed = feed.at(now := time.time())
    lag = None if feed.caught_up_at is None else max(0.0, now - feed.caught_up_at)
    return EventsState(status=feed.status, position=feed.position, lag_seconds=lag, last_problem=feed.problem)


def _registry_state(state: FollowerState) -> RegistryState:
    return RegistryState(
        status=state.status, checked_at=state.checked_at, succeeded_at=state.succeeded_at, warning=state.warning
    )


def _details(model: ServedModel | None) -> dict[str, Any]:
    if model is None:
        return dict.fromkeys(("version", "family", "content_hash", "users", "items", "dim", "loaded_at"))
    return {
        "version": model.version,
        "family": model.artifact.recipe.family,
        "content_hash": model.content_hash,
        "users": model.recommender.n_users,
        "items": model.recommender.n_items,
        "dim": model.artifact.item_embeddings.shape[1],
        "loaded_at": model.loaded_at,
    }
