"""What an editor may say of a placement."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.contract.placement import MAX_BOOSTS, MAX_FALLBACK, MAX_PINS, MAX_QUOTAS
from app.contract.placement_rules import MAX_AMONG, MAX_BY, MAX_REST_DAYS, MOST_A_DAY
from app.schemas.bodies import Body
from app.schemas.queries import DEFAULT_K, MAX_FILTER_LENGTH, MAX_K, WHOLE, Id, PlacementName

MAX_RULE_NAME = 60
MAX_SHOWN = 100
MAX_NEW_BELOW = 1000
MAX_A_DAY = 1_000_000
EXAMPLE: JsonDict = {
    "filter": "year >= 1980",
    "boosts": [{"filter": "genres:Comedy", "by": 0.3, "name": "comedies"}],
    "pins": [{"item_id": 601, "rank": 1}],
    "quotas": [{"filter": "genres:Drama", "at_most": 4}],
}

Filter = Annotated[str, Field(min_length=1, max_length=MAX_FILTER_LENGTH)]
RuleFilter = Annotated[
    Filter, Field(description="A filter, in the language of https://google.aip.dev/160.", examples=["genres:Comedy"])
]
RuleName = Annotated[
    Annotated[str, Field(min_length=1, max_length=MAX_RULE_NAME)] | None,
    Field(description="What explanations call it; without it, its filter.", examples=["comedies"]),
]
Count = Annotated[int, Field(ge=0, le=MAX_K), WHOLE]
When = Annotated[
    Annotated[str, Field(max_length=40)] | None,
    Field(description="ISO 8601; without it, no limit.", examples=["2026-12-01T18:00:00Z"]),
]


def _fallback(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    try:
        return handler(value)
    except ValidationError as error:  # one for each kind, at fields that nobody has sent
        message = f"It must be popular, trending, or a list of 1 to {MAX_FALLBACK} ids"
        raise PydanticCustomError("fallback", message) from error


Fallback = Annotated[
    Literal["popular", "trending"] | Annotated[list[Id], Field(min_length=1, max_length=MAX_FALLBACK)],
    WrapValidator(_fallback),
]


class _Rule(BaseModel):
    """A part of a placement; what it lacks has no value."""

    model_config = ConfigDict(strict=True, extra="forbid")


class BoostRule(_Rule):
    """Moves what passes a filter up, or down."""

    filter: RuleFilter
    by: float = Field(
        ge=-MAX_BY,
        le=MAX_BY,
        allow_inf_nan=False,
        description="In standard deviations of the person's scores; negative buries.",
        examples=[0.3],
    )
    name: RuleName = None


class PinRule(_Rule):
    """An item at a rank."""

    item_id: Id = Field(description="The item.", examples=[601])
    rank: Annotated[int, Field(ge=1, le=MAX_K), WHOLE] = Field(description="1 is the first place.", examples=[1])
    from_: When = Field(default=None, alias="from")
    until: When = None


class QuotaRule(_Rule):
    """How many of the first k items pass a filter."""

    filter: RuleFilter
    at_least: Count | None = Field(default=None, description="As far as there are such films.", examples=[2])
    at_most: Count | None = Field(default=None, description="Rather the list is shorter.", examples=[4])
    name: RuleName = None


class RestRule(_Rule):
    """Leaves out what a person was shown often, and has said nothing about since."""

    shown: Annotated[int, Field(ge=1, le=MAX_SHOWN), WHOLE] = Field(
        description="On how many lists of that person the film was.", examples=[5]
    )
    days: Annotated[int, Field(ge=1, le=MAX_REST_DAYS), WHOLE] = Field(
        description="In how many days, today among them.", examples=[7]
    )


class ExploreRule(_Rule):
    """Gives a rank of some lists to a film drawn at random."""

    rank: Annotated[int, Field(ge=1, le=MAX_K), WHOLE] = Field(description="1 is the first place.", examples=[3])
    among: Annotated[int, Field(ge=1, le=MAX_AMONG), WHOLE] = Field(
        description="How many films have a chance: new ones, else those that follow the list.", examples=[20]
    )
    share: float = Field(
        gt=0, le=1, allow_inf_nan=False, description="In which share of lists one of them gets it.", examples=[0.1]
    )
    new_below: Annotated[int, Field(ge=0, le=MAX_NEW_BELOW), WHOLE] = Field(
        default=0,
        description="Films are new while the version has learned from fewer of their likes; with 0 none is.",
        examples=[50],
    )
    most_a_day: Annotated[int, Field(ge=1, le=MAX_A_DAY), WHOLE] = Field(
        default=MOST_A_DAY, description="How often a day each new film is shown so.", examples=[200]
    )


class TrialRule(_Rule):
    """Compares the placement with another by what people like."""

    against: PlacementName = Field(description="By whose rules a share of people get the lists.", examples=["home-b"])
    share: float = Field(gt=0, lt=1, allow_inf_nan=False, description="Of all people.", examples=[0.5])


class PlacementContent(Body):
    """All of a placement: what is not sent has its default."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    filter: Filter | None = Field(default=None, description="Only films that pass it.", examples=["year >= 1980"])
    boosts: list[BoostRule] = Field(
        default=[],
        max_length=MAX_BOOSTS,
        description="They add up.",
        examples=[[{"filter": "genres:Comedy", "by": 0.3}]],
    )
    pins: list[PinRule] = Field(
        default=[],
        max_length=MAX_PINS,
        description="At most one for a rank at a time.",
        examples=[[{"item_id": 601, "rank": 1}]],
    )
    quotas: list[QuotaRule] = Field(
        default=[],
        max_length=MAX_QUOTAS,
        description="Among the first k.",
        examples=[[{"filter": "genres:Drama", "at_most": 4}]],
    )
    explore: ExploreRule | None = Field(
        default=None,
        description="One rank at random, to learn what another choice would bring; not with quotas.",
        examples=[{"rank": 3, "among": 20, "share": 0.1}],
    )
    rest: RestRule | None = Field(
        default=None,
        description="What a person was shown so often without saying anything about it is left out for a while.",
        examples=[{"shown": 5, "days": 7}],
    )
    trial: TrialRule | None = Field(
        default=None,
        description="A share of people, always the same, get the lists of this placement by another's rules.",
        examples=[{"against": "home-b", "share": 0.5}],
    )
    diversity: float = Field(
        default=0, ge=0, le=1, allow_inf_nan=False, description="As requests have it.", examples=[0.3]
    )
    fallback: Fallback = Field(
        default="popular",
        description="What people get of whom nothing is known: `popular`, or before it `trending`, or these films.",
        examples=["popular"],
    )
    k: Annotated[int, Field(ge=1, le=MAX_K), WHOLE] = Field(
        default=DEFAULT_K, description="The length of a list, and that which quotas are about.", examples=[10]
    )
    overridable: list[Literal["k", "diversity"]] = Field(
        default=["k", "diversity"], max_length=2, description="What a request may say otherwise.", examples=[["k"]]
    )

    @property
    def content(self) -> dict[str, Any]:
        """What was sent."""
        return self.model_dump(exclude_unset=True, exclude_none=True, by_alias=True)
