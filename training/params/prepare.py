"""The sections `prepare` and `events`, and all that the stage `prepare` reads."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from app.contract.events import types_problem
from training.params.catalogue import CatalogueParams
from training.params.section import AtLeastOne, Section, Seed

ProperShare = Annotated[float, Field(gt=0, lt=1)]


class SplitParams(Section):
    """The division of ratings into train, validation and test."""

    method: Literal["per_user", "global", "random"]
    validation: ProperShare
    test: ProperShare
    min_positives: Annotated[int, Field(ge=3)]

    @model_validator(mode="after")
    def _leaves_something_to_train(self) -> "SplitParams":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test must be below 1, not {self.validation + self.test:g}")
        return self


class PrepareParams(Section):
    """The choice of ratings, of positives among them, and of the split."""

    min_rating: float | None
    min_user_ratings: AtLeastOne
    min_item_ratings: Annotated[int, Field(ge=0)]
    text_user_ids: bool
    split: SplitParams


def _checked(types: dict[str, Any]) -> dict[str, Any]:
    if problem := types_problem(types):
        raise ValueError(f"events.types: {problem}")
    return types


class EventsParams(Section):
    """What people say to the service, beside what everybody can say."""

    types: Annotated[dict[str, Any], AfterValidator(_checked)]


class PrepareStage(Section):
    """The sections that `prepare` reads."""

    seed: Seed
    catalogue: CatalogueParams
    events: EventsParams
    prepare: PrepareParams
