"""Describes the loaded version, and how following the registry goes."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from app.http.dependencies import CurrentFollowerState, CurrentSettings, CurrentStore
from app.model.store import ModelStore, ServedModel
from app.registry.follower import FollowerState
from app.schemas.status import ModelDescription, ModelProblem, RegistryState
from app.settings import Settings

router = APIRouter(tags=["model"])


@router.get("/model")
async def describe_model(
    settings: CurrentSettings, store: CurrentStore, state: CurrentFollowerState
) -> ModelDescription:
    """The loaded version, and the outcome of the last registry poll; the version is null before the first model."""
    return description(settings, store, state)


def description(settings: Settings, store: ModelStore, state: FollowerState) -> ModelDescription:
    """The answer of `describe_model`."""
    problem = state.last_problem
    return ModelDescription(
        name=settings.model_name,
        alias=settings.model_alias.lower() if settings.model_dir is None else None,
        **_details(store.current),
        registry=_registry_state(state),
        last_problem=None if problem is None else ModelProblem(**asdict(problem)),
    )


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
