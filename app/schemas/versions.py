"""What the service answers about the versions that it has loaded."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Gauged = Literal["candidate", "popularity", "gain_over_popularity", "live", "gain_over_live"]


class GateFigure(BaseModel):
    """A mean that the gate looked at; a gain has a confidence interval."""

    name: Gauged
    value: float
    low: float | None
    high: float | None


class GateDecision(BaseModel):
    """How the gate decided when the version was registered."""

    decision: str = Field(
        description="The alias that the version got, or `refused`, or `waiting` for another one's trial to end.",
        examples=["production"],
    )
    reason: str = Field(examples=["beats popularity by +0.1532 [+0.1418, +0.1638] in ndcg@10"])
    metric: str = Field(examples=["ndcg@10"])
    figures: list[GateFigure]


class LoadedVersion(BaseModel):
    """What a version that this process has loaded says of itself; made once, when it is loaded."""

    version: str = Field(examples=["3"])
    family: str = Field(examples=["lightfm"])
    users: int
    items: int
    dim: int = Field(description="Length of an embedding.")
    data_hash: str = Field(description="SHA-256 of the data that the version was trained on.")
    content_hash: str = Field(description="SHA-256 of the artifact's manifest, which holds that of every file.")
    registered_at: datetime
    loaded_at: datetime


class VersionDescription(LoadedVersion):
    """A version that this process has loaded, and what the registry says of it."""

    alias: str | None = Field(description="Null if the service reads a folder (`MODEL_DIR`).", examples=["production"])
    page: str | None = Field(description="The version's page in MLflow; null for a folder.")
    gate: GateDecision | None = Field(description="Null where the registry says nothing, or does not answer.")


class VersionDescriptions(BaseModel):
    """The served version, if there is one, and the shadow's."""

    versions: list[VersionDescription]
