"""Describes the versions that are loaded: the served one, and one on trial."""

from collections.abc import Mapping
from math import isfinite
from typing import get_args
from urllib.parse import quote, urlsplit

from fastapi import APIRouter

from app.errors import RegistrySilentError
from app.http.dependencies import CurrentParts
from app.http.error_answers import error_responses
from app.http.parts import Parts
from app.http.registry_calls import ask_registry
from app.mask import Mask
from app.model.store import ServedModel
from app.registry.loaded import Followed
from app.registry.target import Target
from app.schemas.versions import (
    GateDecision,
    GateFigure,
    Gauged,
    RegisteredVersion,
    RegisteredVersions,
    VersionDescription,
    VersionDescriptions,
)
from app.settings import Settings

router = APIRouter(tags=["model"])


@router.get("/versions")
async def list_versions(parts: CurrentParts) -> VersionDescriptions:
    """The loaded versions, the served one first, each with what the gate said of it."""
    loaded = ((followed, followed.current) for followed in parts.versions.followed)
    described = [_description(parts, followed, model) for followed, model in loaded if model is not None]
    return VersionDescriptions(versions=described)


@router.get("/versions/registered", responses=error_responses(RegistrySilentError))
async def list_registered_versions(parts: CurrentParts) -> RegisteredVersions:
    """The 100 newest versions in MLflow, the newest first; none where a folder is served."""
    registry = parts.registry
    found = [] if registry is None else await ask_registry(registry.versions, parts.mask)
    return RegisteredVersions(versions=[_registered(parts, *each) for each in found])


def _registered(parts: Parts, target: Target, aliases: list[str]) -> RegisteredVersion:
    return RegisteredVersion(
        version=target.registered.version,
        aliases=[parts.mask(alias) for alias in aliases],
        registered_at=target.registered.registered_at,
        page=_page(parts.settings, target.registered.version),
        gate=_gate(target.tags, parts.mask),
    )


def _description(parts: Parts, followed: Followed, model: ServedModel) -> VersionDescription:
    target = followed.target(model)
    return VersionDescription(
        **dict(model.described),
        alias=followed.alias,
        page=None if followed.alias is None else _page(parts.settings, model.version),
        gate=None if target is None else _gate(target.tags, parts.mask),
    )


def _page(settings: Settings, version: str) -> str:
    parts = urlsplit(settings.mlflow_page_uri or settings.mlflow_tracking_uri)
    # Without a user name and password, which the address of the server may hold.
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    return f"{address}/#/models/{quote(settings.model_name, safe='')}/versions/{quote(version, safe='')}"


def _gate(tags: Mapping[str, str], mask: Mask) -> GateDecision | None:
    """What training has written into the tags of the version; None if it has written nothing."""
    if not {"decision", "gate_reason", "gate_metric"} <= tags.keys():
        return None
    figures = [
        GateFigure(name=name, value=value, low=_number(tags, f"{name}_low"), high=_number(tags, f"{name}_high"))
        for name in get_args(Gauged)
        if (value := _number(tags, name)) is not None
    ]
    return GateDecision(
        decision=mask(tags["decision"]),
        reason=mask(tags["gate_reason"]),
        metric=mask(tags["gate_metric"]),
        figures=figures,
    )


def _number(tags: Mapping[str, str], name: str) -> float | None:
    # Anybody may edit tags in MLflow.
    try:
        value = float(tags[f"gate_{name}"])
    except (KeyError, ValueError):
        return None
    return value if isfinite(value) else None
