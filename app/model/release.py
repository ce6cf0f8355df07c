"""A registered version of the model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """A registered version. `created` and `run_id` tell apart versions that a wiped registry numbers alike."""

    version: str
    created: int
    run_id: str
