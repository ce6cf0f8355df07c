"""All that is held about a person."""

from datetime import datetime

from pydantic import BaseModel, Field, Json


class HeldEvent(BaseModel):
    """Something that the user said."""

    event_id: str = Field(description="Its UUID.", examples=["1b671a64-40d5-491e-99b0-da01ff1f3341"])
    item_id: str | None = Field(description="The film; null for the wish to be forgotten.", examples=["601"])
    type: str = Field(description="What was said.", examples=["like"])
    value: float | None = Field(description="The stars of a rating, or the type's number.", examples=[4.5])
    occurred_at: datetime = Field(description="When it was said.", examples=["2026-11-23T11:56:29Z"])
    received_at: datetime = Field(description="When it arrived.", examples=["2026-11-23T11:56:30Z"])
    recommendation_id: str | None = Field(description="The list that it names.", examples=["AgExajHwqFhZ7zJbb1Uz3VQb"])


class HeldImpression(BaseModel):
    """A film that was on the user's screen."""

    day: str = Field(description="The list's day.", examples=["2026-11-23"])
    recommendation_id: str = Field(description="The list.", examples=["AgExajHwqFhZ7zJbb1Uz3VQb"])
    item_id: str = Field(description="The film.", examples=["601"])
    rank: int = Field(description="Its rank in the list.", examples=[1])
    placement: str | None = Field(description="Where the list was shown.", examples=["home"])
    source: str | None = Field(description="How the list was made.", examples=["personalised"])
    odds: float | None = Field(description="The probability with which it got an explored rank.", examples=[0.01])
    among: Json[list[str]] | None = Field(
        description="The films that could have got that rank.", examples=[["601", "93"]]
    )


class HeldExposure(BaseModel):
    """How many lists the user got on a day in a trial."""

    day: str = Field(description="The day.", examples=["2026-11-23"])
    version: str = Field(description="The version that made the lists.", examples=["7"])
    arm: int = Field(
        description="0: production, 1: challenger; in a trial of placements 1: another's rules.", examples=[1]
    )
    lists: int = Field(description="How many lists.", examples=[3])
    films: int = Field(description="How many films they held.", examples=[30])


class HeldAnswer(BaseModel):
    """A list that the user got, of those that are kept as a sample."""

    day: str = Field(description="The list's day.", examples=["2026-11-23"])
    recommendation_id: str = Field(description="The list.", examples=["AgExajHwqFhZ7zJbb1Uz3VQb"])
    item_ids: Json[list[str]] = Field(description="The films, in their order.", examples=[["601", "93"]])
    rank: int = Field(description="The rank of the first.", examples=[1])
    placement: str | None = Field(description="The placement that it was asked for.", examples=["home"])
    source: str = Field(description="How it was made.", examples=["personalised"])


class HeldItem(BaseModel):
    """A film that lists treat as seen by the user."""

    item_id: str = Field(description="The film.", examples=["601"])
    liked: bool = Field(description="Whether the user liked it.", examples=[True])


class Held(BaseModel):
    """What the service holds about a user."""

    user_id: str = Field(description="The id as it was sent.", examples=["42"])
    model_version: str | None = Field(description="The loaded version; null without one.", examples=["7"])
    history: list[HeldItem] = Field(description="What that version and newer events say was seen, the latest first.")
    events: list[HeldEvent] = Field(description="What the user said, as it arrived.")
    impressions: list[HeldImpression] = Field(description="What was on the user's screen, by day.")
    exposures: list[HeldExposure] = Field(description="Which lists the user got in trials, by day.")
    answers: list[HeldAnswer] = Field(description="Lists that the user got, as far as a sample of all holds them.")
