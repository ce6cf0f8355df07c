"""The section `refit`, and all that the stage of this name reads."""

from typing import Annotated

from pydantic import AfterValidator, Field

from training.params.section import Section, no_repeats
from training.params.train import TrainStage


class RefitParams(Section):
    """The content of the served artifact beside the model."""

    ready_items: Annotated[int, Field(ge=0, le=1000)]


class RefitStage(TrainStage):
    """The sections that `refit` reads."""

    candidates: Annotated[tuple[str, ...], Field(min_length=1, strict=False), AfterValidator(no_repeats)]
    refit: RefitParams

    @property
    def shared_members(self) -> set[str]:
        """The candidates that are members of other candidates, too."""
        sections = [self.models.get(name, {}) for name in self.candidates]
        return set(self.candidates) & {member for section in sections for member in section.get("members", {})}
