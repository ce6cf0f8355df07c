"""A registered version of the model."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """A registered version. A wiped registry gives the same numbers again, hence the other two."""

    version: str
    created: int
    run_id: str
