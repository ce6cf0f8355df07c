"""What the service answers about users."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.schemas.items import Item, ModelVersion

UserId = Annotated[str, Field(description="The id as it was sent.", examples=["42"])]


class SeenItem(Item):
    """A film that a user has seen."""

    liked: bool = Field(description="Whether the user liked it.", examples=[True])


class History(BaseModel):
    """The films that a user has seen."""

    user_id: UserId
    model_version: ModelVersion
    total: int = Field(description="How many films the user has seen, on all pages.", examples=[74])
    items: list[SeenItem] = Field(
        description="First what the model has not learned from yet, the latest first; then what it has, ordered by id."
    )


class ExampleUser(BaseModel):
    """A user to try the service with."""

    kind: Literal["short", "medium", "long", "unknown"] = Field(
        description="How long the history is, compared with those of all users; `unknown` has none.",
        examples=["medium"],
    )
    user_id: str = Field(description="The id to ask with.", examples=["42"])
    seen: int = Field(description="How many films the user has seen.", examples=[17])


class ExampleUsers(BaseModel):
    """A few users of different kinds."""

    model_version: ModelVersion
    users: list[ExampleUser] = Field(description="One of each kind that there is.")
