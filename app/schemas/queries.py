"""What a client may send, and its limits.

The limits are part of the API, not settings: they are in the OpenAPI document that clients are built from.
"""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.contract.placement import NAME

DEFAULT_K = 10
MAX_K = 100
MAX_OFFSET = 1000
MAX_HISTORY = 1_000_000
MAX_IDS = 1000
MAX_ID_LENGTH = 16_384
MAX_GENRES = 50
MAX_TEXT_LENGTH = 200
MAX_FILTER_LENGTH = 1000
MAX_YEAR = 9999
MAX_HALF_LIFE = 36_500

LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def _whole(value: object) -> object:
    # JSON makes no difference between 7 and 7.0.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _any_id(value: object) -> int | str:
    value = _whole(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("id_type", "An id is a number without decimals, or a text")
    if not 1 <= len(value) <= MAX_ID_LENGTH:
        raise PydanticCustomError("id_length", f"An id has 1 to {MAX_ID_LENGTH} characters")
    # JSON can hold lone surrogates, which UTF-8 can't; a path's invalid bytes become the same character.
    return LONE_SURROGATES.sub("\ufffd", value)


Id = Annotated[
    int | str,
    PlainValidator(_any_id),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH}]}),
]
PathText = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
Genre = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH)]
WHOLE = BeforeValidator(_whole)
# The limits are inside the union: outside they would not reach the OpenAPI document.
YearLimit = Annotated[int, Field(ge=0, le=MAX_YEAR), WHOLE] | None
Items = Annotated[list[Id], Field(max_length=MAX_IDS)]
K = Annotated[int, Field(ge=1, le=MAX_K, description="Number of films.", examples=[10]), WHOLE]
PlacementName = Annotated[
    str,
    Field(
        pattern=f"^{NAME.pattern}$",
        min_length=1,
        max_length=64,
        description="The name of a placement: small letters, digits, - and _.",
        examples=["home"],
    ),
]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET, description="Number of places to skip.", examples=[0]), WHOLE]


class Filters(BaseModel):
    """Which films an answer may hold; a film must pass all filters."""

    exclude: Items = Field(
        default=[], description="Ids of films to leave out; unknown ids are ignored.", examples=[[1]]
    )
    genre: list[Genre] = Field(
        default=[],
        max_length=MAX_GENRES,
        description="Only films with one of these genres, in upper or lower case; `/genres` lists all genres.",
        examples=[["Comedy", "Drama"]],
    )
    exclude_genre: list[Genre] = Field(
        default=[], max_length=MAX_GENRES, description="No films with one of these genres.", examples=[["Horror"]]
    )
    filter: Annotated[str, Field(min_length=1, max_length=MAX_FILTER_LENGTH)] | None = Field(
        default=None,
        description="Only films that pass this filter of columns, in the language of https://google.aip.dev/160; "
        "`/columns` lists the columns.",
        examples=["genres:Comedy AND year >= 1980"],
    )
    year_from: YearLimit = Field(default=None, description="Only films of this year or later.", examples=[1980])
    year_to: YearLimit = Field(default=None, description="Only films of this year or earlier.", examples=[1999])


class PlacedQuery(BaseModel):
    """What the rules of a placement may apply to."""

    placement: PlacementName | None = Field(
        default=None,
        description="The placement that the list is for: its rules apply, and its defaults.",
        examples=["home"],
    )


class ListQuery(Filters):
    """A page of a list of films."""

    k: K = DEFAULT_K
    offset: Offset = 0


class TrendingQuery(ListQuery):
    """A page of what is liked of late."""

    half_life: Annotated[float, Field(ge=0, le=MAX_HALF_LIFE, allow_inf_nan=False)] | None = Field(
        default=None,
        description="After how many days a like counts half: 1, 7 or 30, or without it a tenth of the time that the "
        "training data spans.",
        examples=[7],
    )


class SimilarQuery(PlacedQuery, ListQuery):
    """A page of similar films."""


class PersonalQuery(PlacedQuery, ListQuery):
    """A page of a list made for one user."""

    diversity: float = Field(
        default=0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0 gives the best films, however alike; 1 the least alike films (maximal marginal relevance).",
        examples=[0.3],
    )
    explain: bool = Field(
        default=False,
        description="Adds `because` to each film: the films of the history that are closest to it.",
        examples=[True],
    )
    preview: bool = Field(
        default=False,
        description="Says that the list is looked at and not shown to the user: it counts in no trial and no figure.",
        examples=[True],
    )


class UserQuery(PersonalQuery):
    """A page of a list for a user that the model may know."""

    include_seen: bool = Field(default=False, description="Allows films that the user has seen.", examples=[False])
    alias: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_LENGTH)] | None = Field(
        default=None,
        description="Alias of the version to ask, if not the served one: `challenger`, if that is loaded.",
        examples=["production"],
    )

    @property
    def is_plain(self) -> bool:
        """Whether nothing but k is asked for."""
        return self.model_fields_set <= {"k"}


class SearchQuery(ListQuery):
    """A page of the films whose title matches."""

    query: str = Field(
        min_length=1,
        max_length=MAX_TEXT_LENGTH,
        description="A title or a part of one; case, accents and punctuation do not matter.",
        examples=["amelie"],
    )


class ChangesQuery(BaseModel):
    """A page of changes."""

    k: K = DEFAULT_K
    offset: Offset = 0


class PageQuery(BaseModel):
    """A page of a list without filters."""

    k: K = DEFAULT_K
    offset: int = Field(default=0, ge=0, le=MAX_HISTORY, description="Number of places to skip.", examples=[0])
