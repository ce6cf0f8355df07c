"""The version that a poll finds."""

from dataclasses import dataclass

from app.model.release import Release


@dataclass(frozen=True)
class Target:
    """The release to load, and a warning if two spellings of the alias disagree."""

    release: Release
    warning: str | None
