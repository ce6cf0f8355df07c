"""What an alias names."""

from dataclasses import dataclass

from app.model.release import Release


@dataclass(frozen=True)
class Target:
    """What the alias names, and a warning where it is ambiguous."""

    release: Release
    warning: str | None
