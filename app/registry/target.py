"""The version that a poll finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.model.registered_version import RegisteredVersion


@dataclass(frozen=True)
class Target:
    """The version to load, a warning if two spellings of the alias disagree, and the version's tags in MLflow."""

    registered: RegisteredVersion
    warning: str | None
    tags: Mapping[str, str] = field(default_factory=dict)
