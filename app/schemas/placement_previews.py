"""Previews of a placement that need not be saved: what an editor sends, and what the service answers."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.schemas.bodies import Body
from app.schemas.lists import Recommendations
from app.schemas.placement_content import PlacementContent
from app.schemas.placements import PlacementWarning
from app.schemas.queries import WHOLE, Id

MAX_PREVIEWS = 10
PARTS = 20  # of the sample of people


class PlacementPreview(Body):
    """A placement, and for whom to try it."""

    placement: PlacementContent | None = Field(default=None, description="All of it; without it, plain lists.")
    user_ids: list[Id] = Field(
        default=[],
        max_length=MAX_PREVIEWS,
        description="Ids of the users, in the order of the answers.",
        examples=[[42]],
    )
    part: Annotated[int, Field(ge=0, lt=PARTS), WHOLE] | None = Field(
        default=None,
        description=f"Of a sample of 200 people in {PARTS} parts, which is the same for all placements.",
        examples=[0],
    )


class PlacementPreviews(BaseModel):
    """What people would get."""

    answers: list[Recommendations] = Field(description="One for each id, then one for each of the part's people.")
    kept: list[float | None] = Field(
        description="For each answer the discounted scores of the list, above the mean of all films, as a share of "
        "those of the plain list: 1 loses nothing by the model itself; null where nothing is known of the person.",
        examples=[[0.97]],
    )
    warnings: list[PlacementWarning] = Field(description="Rules that do nothing with the current films.")
