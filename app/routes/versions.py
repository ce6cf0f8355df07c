"""Describes the versions that are loaded: the served one and the shadow's."""

from collections.abc import Mapping
from datetime import datetime, timezone
from math import isfinite
from typing import get_args
from urllib.parse import quote, urlsplit

from fastapi import APIRouter

from app.http.dependencies import CurrentSettings, CurrentVersions
from app.model.store import ServedModel
from app.registry.loaded import Followed
from app.schemas.versions import GateDecision, GateFigure, Gauged, VersionDescription, VersionDescriptions
from app.settings import Settings

MILLISECONDS = 1000

router = APIRouter(tags=["model"])


@router.get("/versions")
async def list_versions(settings: CurrentSettings, versions: CurrentVersions) -> VersionDescriptions:
    """The loaded versions, the served one first, each with what the gate said of it."""
    loaded = ((followed, followed.current) for followed in versions.followed)
    described = [_description(settings, followed, model) for followed, model in loaded if model is not None]
    return VersionDescriptions(versions=described)


def _description(settings: Settings, followed: Followed, model: ServedModel) -> VersionDescription:
    artifact, target = model.artifact, followed.target(model)
    return VersionDescription(
        alias=followed.alias,
        version=model.version,
        family=artifact.recipe.family,
        users=model.recommender.n_users,
        items=model.recommender.n_items,
        dim=artifact.item_embeddings.shape[1],
        data_hash=artifact.recipe.data_hash,
        content_hash=model.content_hash,
        registered_at=datetime.fromtimestamp(model.release.created / MILLISECONDS, timezone.utc),
        loaded_at=model.loaded_at,
        page=None if followed.alias is None else _page(settings, model.version),
        gate=None if target is None else _gate(target.tags),
    )


def _page(settings: Settings, version: str) -> str:
    parts = urlsplit(settings.mlflow_page_uri or settings.mlflow_tracking_uri)
    # Without a user name and password, which the address of the server may hold.
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    return f"{address}/#/models/{quote(settings.model_name, safe='')}/versions/{quote(version, safe='')}"


def _gate(tags: Mapping[str, str]) -> GateDecision | None:
    """What training has written into the tags of the version; None if it has written nothing."""
    if not {"decision", "gate_reason", "gate_metric"} <= tags.keys():
        return None
    figures = [
        GateFigure(name=name, value=value, low=_number(tags, f"{name}_low"), high=_number(tags, f"{name}_high"))
        for name in get_args(Gauged)
        if (value := _number(tags, name)) is not None
    ]
    return GateDecision(
        decision=tags["decision"], reason=tags["gate_reason"], metric=tags["gate_metric"], figures=figures
    )


def _number(tags: Mapping[str, str], name: str) -> float | None:
    # Anybody may edit tags in MLflow.
    try:
        value = float(tags[f"gate_{name}"])
    except (KeyError, ValueError):
        return None
    return value if isfinite(value) else None
