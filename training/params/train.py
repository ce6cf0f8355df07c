"""The section `select`, and all that `train` reads."""

from typing import Annotated, Any

from pydantic import Field

from training.params.section import AtLeastOne, Section, Seed


class SelectParams(Section):
    """By which metric epochs, candidates and the live version are chosen."""

    metric: str
    validation_users: Annotated[int, Field(ge=100)]


class TrainStage(Section):
    """The sections that `train` reads. `models` holds a mapping per family, which the family itself checks."""

    seed: Seed
    threads: AtLeastOne
    models: dict[str, dict[str, Any]]
    select: SelectParams
