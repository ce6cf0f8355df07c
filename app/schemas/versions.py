"""What the service answers about the versions that it has loaded."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Gauged = Literal["candidate", "popularity", "gain_over_popularity", "live", "gain_over_live"]


class GateFigure(BaseModel):
    """A mean that the gate looked at; a gain has a confidence interval."""

    name: Gauged = Field(description="A mean over users, or the difference of two.", examples=["gain_over_live"])
    value: float = Field(description="In the metric of the gate.", examples=[0.0132])
    low: float | None = Field(description="The interval's lower end; null for what is no gain.", examples=[0.0071])
    high: float | None = Field(description="The interval's upper end; null for what is no gain.", examples=[0.0194])


class GateDecision(BaseModel):
    """How the gate decided when the version was registered."""

    decision: str = Field(
        description="The alias that the version got, or `refused`, or `waiting` for another one's trial to end.",
        examples=["production"],
    )
    reason: str = Field(
        description="The gate's sentence.", examples=["beats popularity by +0.1532 [+0.1418, +0.1638] in ndcg@10"]
    )
    metric: str = Field(description="The metric of all figures.", examples=["ndcg@10"])
    figures: list[GateFigure] = Field(description="What the gate looked at.")


Number = Annotated[str, Field(description="Its number in the registry.", examples=["3"])]
RegisteredAt = Annotated[datetime, Field(description="When it was registered.", examples=["2026-11-23T11:56:20Z"])]
Gate = Annotated[GateDecision | None, Field(description="Null where the registry says nothing, or does not answer.")]


class LoadedVersion(BaseModel):
    """What a version that this process has loaded says of itself; made once, when it is loaded."""

    version: Number
    family: str = Field(description="The model family.", examples=["lightfm"])
    users: int = Field(description="How many users it knows.", examples=[1500])
    items: int = Field(description="How many films it knows.", examples=[980])
    dim: int = Field(description="Length of an embedding.", examples=[64])
    data_hash: str = Field(
        description="SHA-256 of the data that the version was trained on.",
        examples=["e978ddb5e1af856961c7f1ee4daaa497879802b4cdefd556065dd953fa6da6b6"],
    )
    content_hash: str = Field(
        description="SHA-256 of the artifact's manifest, which holds that of every file.",
        examples=["1398ad768003fb783890f23a2f76943e0da7a19c3249b86f30d9a1935972f985"],
    )
    registered_at: RegisteredAt
    loaded_at: datetime = Field(description="When this process loaded it.", examples=["2026-11-23T11:56:29Z"])


class VersionDescription(LoadedVersion):
    """A version that this process has loaded, and what the registry says of it."""

    alias: str | None = Field(description="Null if the service reads a folder (`MODEL_DIR`).", examples=["production"])
    page: str | None = Field(
        description="The version's page in MLflow; null for a folder.",
        examples=["http://127.0.0.1:5000/#/models/movie-recommender/versions/3"],
    )
    gate: Gate


class VersionDescriptions(BaseModel):
    """The served version, if there is one, and that on trial."""

    versions: list[VersionDescription] = Field(description="The served one first.")


class RegisteredVersion(BaseModel):
    """A version in MLflow, loaded or not."""

    version: Number
    aliases: list[str] = Field(description="Its aliases in MLflow, as they are spelled.", examples=[["production"]])
    registered_at: RegisteredAt
    page: str = Field(
        description="Its page in MLflow.", examples=["http://127.0.0.1:5000/#/models/movie-recommender/versions/3"]
    )
    gate: Gate


class RegisteredVersions(BaseModel):
    """The newest versions in MLflow."""

    versions: list[RegisteredVersion] = Field(description="The newest first, 100 at most.")
