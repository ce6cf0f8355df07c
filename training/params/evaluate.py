"""The section `evaluate`, and all that the stage of this name reads."""

from typing import Annotated

from pydantic import AfterValidator, Field

from training.params.section import AtLeastOne, Section, Seed, no_repeats
from training.params.train import SelectParams


def _rising(values: tuple[int, int]) -> tuple[int, int]:
    if values[0] >= values[1]:
        raise ValueError(f"the second must be above the first, not {list(values)}")
    return values


class EvaluateParams(Section):
    """At which k, for which segments of users and from how many resamples metrics are computed.

    `cold` says whether cold items are measured among all, and people by their attributes alone, too.
    """

    at: Annotated[tuple[AtLeastOne, ...], Field(min_length=1, strict=False), AfterValidator(no_repeats)]
    segments: Annotated[tuple[AtLeastOne, AtLeastOne], Field(strict=False), AfterValidator(_rising)]
    bootstrap: Annotated[int, Field(ge=100)]
    cold: bool


class EvaluateStage(Section):
    """The sections that `evaluate` reads."""

    seed: Seed
    evaluate: EvaluateParams
    select: SelectParams
