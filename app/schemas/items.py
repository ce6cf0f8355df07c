"""What the service answers about items."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict, JsonValue

ItemId = Annotated[
    int | str, Field(description="A number if the catalogue's ids are numbers, else a text.", examples=[1])
]
Title = Annotated[str, Field(description="As the catalogue has it.", examples=["Toy Story (1995)"])]
ModelVersion = Annotated[
    str, Field(description="The version that answered, as numbered in the registry.", examples=["3"])
]
_TYPES: list[JsonValue] = [{"type": kind} for kind in ("string", "number", "boolean", "null")]
COLUMN_VALUE: JsonDict = {
    "anyOf": [*_TYPES, {"type": "array", "items": {"type": "string"}}],
    "description": "The value of a column: `year` and `genres`, or what the catalogue has.",
}


class Item(BaseModel):
    """A film with its id, and every column that `/columns` calls shown: null, or no tags, where it has no value."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": COLUMN_VALUE})

    id: ItemId
    title: Title


class ItemDetails(Item):
    """A film with the number of its interactions."""

    model_version: ModelVersion
    interactions: int = Field(
        description="Number of positives in the training data; of a film with 0, the model knows only year and genres.",
        examples=[215],
    )
    available: bool = Field(
        description="Whether lists may hold it: false if it is withdrawn, or its time has not come or is over.",
        examples=[True],
    )
    withdrawn: bool = Field(
        default=False, description="True if somebody has withdrawn it, else absent.", examples=[True]
    )
    available_from: str | None = Field(
        default=None, description="When its time comes; absent without a limit.", examples=["2026-12-01T18:00:00Z"]
    )
    available_until: str | None = Field(
        default=None, description="When its time is over; absent without a limit.", examples=["2027-03-01T00:00:00Z"]
    )


class FoundItem(Item):
    """A film that a search has found."""

    interactions: int = Field(description="Number of positives in the training data.", examples=[215])


class FoundItems(BaseModel):
    """Films whose title matches: exactly, then by its beginning, its words, any part; popular ones first."""

    model_version: ModelVersion
    total: int = Field(description="How many films match, on all pages.", examples=[1])
    items: list[FoundItem] = Field(description="The films of this page.")


class TagCount(BaseModel):
    """A tag of a column, such as a genre."""

    name: str = Field(description="The tag, as the catalogue has it.", examples=["Comedy"])
    films: int = Field(description="How many films have the tag.", examples=[187])


class ColumnDetails(BaseModel):
    """A column of the catalogue."""

    name: str = Field(description="What a filter and an answer call it.", examples=["genres"])
    type: Literal["tag", "tags", "number", "time", "flag", "text", "link", "vector"] = Field(
        description="What its values are.", examples=["tags"]
    )
    filter: bool = Field(description="Whether `filter` may name it.", examples=[True])
    shown: bool = Field(description="Whether answers show it of each film.", examples=[True])
    tags: list[TagCount] = Field(description="Of a column to filter by: the 100 most frequent tags.")


class AttributeDetails(BaseModel):
    """An attribute of people."""

    name: str = Field(description="What `attributes` of `POST /recommendations` calls it.", examples=["age"])
    type: Literal["tag", "tags", "number", "time", "flag", "vector"] = Field(
        description="What its values are.", examples=["number"]
    )
    values: list[str] = Field(description="Of a tag: those that the model knows; others say nothing.", examples=[["M"]])


class ColumnList(BaseModel):
    """The columns of the catalogue, and the attributes of people."""

    model_version: ModelVersion
    columns: list[ColumnDetails] = Field(description="In the order of the catalogue.")
    attributes: list[AttributeDetails] = Field(
        description="What the model can tell from of somebody without a history."
    )


class GenreList(BaseModel):
    """All genres in the catalogue, in alphabetical order."""

    model_version: ModelVersion
    genres: list[TagCount] = Field(description="In alphabetical order.")
