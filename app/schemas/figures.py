"""What the service answers about its own last minutes."""

from datetime import datetime

from pydantic import BaseModel, Field


class Latency(BaseModel):
    """How long requests took, in milliseconds: half, 95 % and 99 % of them took at most so long."""

    p50: float
    p95: float
    p99: float


class ListCounts(BaseModel):
    """Lists by source."""

    personalised: int
    fold_in: int
    popular: int


class StepFigures(BaseModel):
    """What happened in some seconds."""

    at: datetime = Field(description="The end of the step.")
    seconds: float = Field(description="The length of the step.")
    requests: int = Field(description="Requests of clients: not for the page, `/status`, `/model`, health or metrics.")
    refused: int = Field(description="Those that were answered with a status from 400 to 499.")
    errors: int = Field(description="Those that were answered with a status of 500 or more.")
    latency_ms: Latency | None = Field(description="Null without a request. Estimated from a histogram.")
    lists: ListCounts
    swaps: int = Field(description="Versions loaded, the first included.")


class RecentListFigures(BaseModel):
    """What the loaded version's last 10,000 lists are like together."""

    lists: int
    distinct_items: int = Field(description="Different films in these lists.")
    catalogue_items: int = Field(description="Films that the version can recommend.")
    fallback_share: float | None = Field(description="Share of the lists that hold popular films.")
    short_share: float | None = Field(description="Share of the lists with fewer films than asked for.")
    top10_share: float | None = Field(description="Share of all places that the ten most served films take.")


class ArmLists(BaseModel):
    """Lists of this process during the trial, by whose they are."""

    production: int
    challenger: int
    fallback: int = Field(description="The live version's, for users of the challenger's arm while it is not loaded.")


class TrialFigures(BaseModel):
    """The trial that runs."""

    challenger: str = Field(description="The version on trial.", examples=["7"])
    production: str = Field(description="The live version, with which it is compared.", examples=["5"])
    share: float = Field(description="Share of all users who get the challenger.", examples=[0.5])
    lists: ArmLists


class Status(BaseModel):
    """What one process did in the last minutes; other replicas have figures of their own."""

    replica: str = Field(description="A name for the process that answered; new at each start.", examples=["3f9c2a1b"])
    started_at: datetime
    model_version: str | None = Field(description="The loaded version, or null.", examples=["3"])
    recent_lists: RecentListFigures
    trial: TrialFigures | None = Field(description="Null while no trial runs.")
    steps: list[StepFigures] = Field(description="The last 15 minutes, oldest first; the last step goes on until now.")
