"""What a client says was on a screen, and what the service answers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.contract.placement_rules import MAX_AMONG
from app.schemas.bodies import Body
from app.schemas.events import MAX_RECOMMENDATION_ID, StoredId
from app.schemas.queries import MAX_K, MAX_OFFSET

MAX_IMPRESSIONS = 1000
SEEN: JsonDict = {"recommendation_id": "AgExajHwqFhZ7zJbb1Uz3VQb", "user_id": 42, "item_ids": [601, 93]}
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


class SentExplored(Body):
    """What a placement explored, as the list's answer has it."""

    item_id: StoredId = Field(description="The film that got the rank.", examples=[93])
    odds: float = Field(
        gt=0, le=1, allow_inf_nan=False, description="The probability with which it got it.", examples=[0.01]
    )
    among: list[StoredId] = Field(
        min_length=2,
        max_length=MAX_AMONG + 1,
        description="The films that could have got it.",
        examples=[[601, 93, 1, 7, 12]],
    )


class NewImpression(Body):
    """Neighbouring items of one list that were on a user's screen."""

    recommendation_id: str = Field(
        min_length=1,
        max_length=MAX_RECOMMENDATION_ID,
        description="The list, as its answer names it.",
        examples=["AgExajHwqFhZ7zJbb1Uz3VQb"],
    )
    user_id: StoredId = Field(description="Who saw it.", examples=[42])
    item_ids: list[StoredId] = Field(
        min_length=1, max_length=MAX_K, description="The items, in the order of the list.", examples=[[601, 93]]
    )
    rank: int = Field(
        default=1, ge=1, le=MAX_OFFSET + MAX_K, description="The rank of the first of these items.", examples=[1]
    )
    placement: Name | None = Field(default=None, description="Where the list was shown.", examples=["home"])
    source: Name | None = Field(
        default=None, description="The `source` of the list's answer.", examples=["personalised"]
    )
    explored: SentExplored | None = Field(
        default=None,
        description="The `explored` of the list's answer, as it is; it counts once its film is among `item_ids`.",
        examples=[{"item_id": 93, "odds": 0.01, "among": [601, 93, 1, 7, 12]}],
    )


class ImpressionsRequest(Body):
    """What users have seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"impressions": [SEEN]}]})
    max_values = 50 * MAX_IMPRESSIONS
    impressions: list[NewImpression] = Field(
        min_length=1, max_length=MAX_IMPRESSIONS, description="Of any lists.", examples=[[]]
    )


class TakenImpressions(BaseModel):
    """What came of the shown items of a request."""

    accepted: int = Field(description="Shown items that will be stored, unless they are already.", examples=[2])
    expired: int = Field(description="Those of lists that are too old, which don't count.", examples=[0])
    dropped: int = Field(description="Those for which there was no room, as the store is down.", examples=[0])
