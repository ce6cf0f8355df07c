"""What the service answers about its own last minutes."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from app.schemas.items import Item

Milliseconds = Annotated[float, Field(description="Milliseconds.", examples=[0.8])]
Lists = Annotated[int, Field(description="How many lists.", examples=[120])]
Share = Annotated[float | None, Field(examples=[0.25])]


class Latency(BaseModel):
    """How long requests took, in milliseconds: half, 95 % and 99 % of them took at most this long."""

    p50: Milliseconds
    p95: Milliseconds
    p99: Milliseconds


class ListCounts(BaseModel):
    """Lists by source."""

    personalised: Lists
    fold_in: Lists
    popular: Lists


class StepFigures(BaseModel):
    """What happened in some seconds."""

    at: datetime = Field(description="The end of the step.", examples=["2026-11-23T11:56:29Z"])
    seconds: float = Field(description="The length of the step.", examples=[15])
    requests: int = Field(
        description="Requests of clients: not for the page, `/status`, `/model`, health or metrics.", examples=[170]
    )
    refused: int = Field(description="Those that were answered with a status from 400 to 499.", examples=[2])
    errors: int = Field(description="Those that were answered with a status of 500 or more.", examples=[0])
    latency_ms: Latency | None = Field(description="Null without a request. Estimated from a histogram.")
    lists: ListCounts = Field(description="Lists made for somebody, by source.")
    swaps: int = Field(description="Versions loaded, the first included.", examples=[1])


class ShownItem(Item):
    """A film, and how many of the lists hold it."""

    lists: Lists


class RecentListFigures(BaseModel):
    """What the loaded version's last 10,000 lists are like together."""

    lists: Lists
    distinct_items: int = Field(description="Different films in these lists.", examples=[410])
    catalogue_items: int = Field(description="Films that the version can recommend.", examples=[980])
    fallback_share: Share = Field(description="Share of the lists that hold popular films.")
    short_share: Share = Field(description="Share of the lists with fewer films than asked for.")
    top10_share: Share = Field(description="Share of all places that the ten most served films take.")
    most_shown: list[ShownItem] = Field(description="The ten films of most lists, the first one in most.")


class ArmLists(BaseModel):
    """Lists of this process during the trial, by whose they are."""

    production: Lists
    challenger: Lists
    fallback: int = Field(
        description="The live version's, for users of the challenger's arm while it is not loaded.", examples=[0]
    )


class TrialGain(BaseModel):
    """The change in successes a list, as a share of the live version's; its band holds on all days at once."""

    value: float = Field(description="Above 0: people like the version on trial better.", examples=[0.062])
    low: float = Field(description="The lower end of the band.", examples=[0.011])
    high: float = Field(description="The upper end of the band.", examples=[0.113])


class TrialFigures(BaseModel):
    """A trial that runs, of versions or of placements."""

    challenger: str = Field(description="What is on trial: a version, or the placement `against`.", examples=["7"])
    production: str = Field(
        description="With what it is compared: the live version, or the placement that lists are asked of.",
        examples=["5"],
    )
    share: float = Field(description="Share of all users who get the challenger.", examples=[0.5])
    lists: ArmLists = Field(description="Lists of this process, by arm.")
    verdict: str | None = Field(
        description="What the last look at the trial found, in a sentence; null before the first.",
        examples=["no clear difference yet: 8.12 successes in 100 lists, after 7.65 of version 5"],
    )
    gain: TrialGain | None = Field(description="The same in figures; null while too little is known.")


class Status(BaseModel):
    """What one process did in the last minutes; other replicas have figures of their own."""

    replica: str = Field(description="A name for the process that answered; new at each start.", examples=["3f9c2a1b"])
    started_at: datetime = Field(description="When the process started.", examples=["2026-11-23T11:56:20Z"])
    model_version: str | None = Field(description="The loaded version, or null.", examples=["3"])
    recent_lists: RecentListFigures = Field(description="What its last lists are like.")
    trial: TrialFigures | None = Field(description="The trial of versions; null while none runs.")
    placement_trials: list[TrialFigures] = Field(description="Those of placements.")
    steps: list[StepFigures] = Field(description="The last 15 minutes, oldest first; the last step goes on until now.")
