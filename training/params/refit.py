"""The section `refit`, and all that the stage of this name reads."""

from typing import Annotated

from pydantic import AfterValidator, Field

from training.params.section import Section, no_repeats
from training.params.train import TrainStage


class RefitParams(Section):
    """What the served artifact holds beside the model."""

    ready_items: Annotated[int, Field(ge=0, le=1000)]


class RefitStage(TrainStage):
    """What `refit` reads of params.yaml."""

    candidates: Annotated[tuple[str, ...], Field(min_length=1, strict=False), AfterValidator(no_repeats)]
    refit: RefitParams
