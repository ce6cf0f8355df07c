"""What the service answers about itself and its errors."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.contract.version import VERSION


class ErrorDetail(BaseModel):
    """What went wrong, and in which request."""

    code: str = Field(description="A stable word for programs.", examples=["invalid_parameter"])
    message: str = Field(
        description="A sentence for people.", examples=["k is '0': Input should be greater than or equal to 1."]
    )
    field: str | None = Field(
        default=None, description="The invalid parameter, if the error is about one.", examples=["k"]
    )
    request_id: str = Field(
        description="The id of the request: its header X-Request-ID, or a new one. Log lines hold it.",
        examples=["0f8fad5bd9cb469fa16570867728950e"],
    )


class ErrorAnswer(BaseModel):
    """The body of every answer with a status of 400 or more."""

    error: ErrorDetail = Field(description="What went wrong.")


class RegistryState(BaseModel):
    """The outcome of the last poll of the registry."""

    status: str = Field(
        description="`ok`, `not_checked`, or the code of the present problem.", examples=["ok", "registry_unavailable"]
    )
    checked_at: datetime | None = Field(description="The time of the last poll.", examples=["2026-11-23T11:56:29Z"])
    age_seconds: float | None = Field(description="Time since the last poll; null before the first.", examples=[4.2])
    succeeded_at: datetime | None = Field(
        description="The time of the last poll with the status `ok`.", examples=["2026-11-23T11:56:29Z"]
    )
    warning: str | None = Field(
        description="Set if two spellings of the alias are on different versions.", examples=[None]
    )


class ModelProblem(BaseModel):
    """Why a version was not loaded."""

    code: str = Field(description="A stable word for programs.", examples=["artifact_refused"])
    message: str = Field(description="A sentence for people.", examples=["item_biases.npy is damaged"])
    version: str | None = Field(
        description="The version with the problem; null if the problem is about none.", examples=["4"]
    )
    at: datetime = Field(description="When the problem was first found.", examples=["2026-11-23T11:56:29Z"])


class EventsState(BaseModel):
    """How far answers know what users have said."""

    status: str = Field(
        description="`ok`, `catching_up` at the start, or `events_unavailable` while the store does not answer, or has "
        "hung for ten seconds.",
        examples=["ok"],
    )
    position: int = Field(description="Answers know the events up to this position.", examples=[17])
    lag_seconds: float | None = Field(
        description="Time since answers knew all events, about a second at rest; null if they never did.",
        examples=[0.4],
    )
    last_problem: str | None = Field(description="The latest problem, solved or not.", examples=[None])


class ModelDescription(BaseModel):
    """The loaded version, all null while there is none, and how following the registry goes."""

    service_version: str = Field(description="The release of the service itself.", examples=[VERSION])
    name: str = Field(description="The registered model in MLflow.", examples=["movie-recommender"])
    alias: str | None = Field(description="Null if the service reads a folder (`MODEL_DIR`).", examples=["production"])
    version: str | None = Field(
        description="The number in the registry; for a folder, the start of `content_hash`.", examples=["3"]
    )
    family: str | None = Field(description="The model family.", examples=["lightfm"])
    content_hash: str | None = Field(
        description="SHA-256 of the artifact's manifest, which holds that of every file.",
        examples=["1398ad768003fb783890f23a2f76943e0da7a19c3249b86f30d9a1935972f985"],
    )
    users: int | None = Field(description="How many users the version knows.", examples=[1500])
    items: int | None = Field(description="How many films it knows.", examples=[980])
    dim: int | None = Field(description="Length of an embedding.", examples=[64])
    loaded_at: datetime | None = Field(description="When this process loaded it.", examples=["2026-11-23T11:56:29Z"])
    registry: RegistryState = Field(description="How following the registry goes.")
    last_problem: ModelProblem | None = Field(
        description="The latest problem, solved or not; `registry.status` says whether it is solved.", examples=[None]
    )
    events: EventsState | None = Field(description="Null if the service keeps no events (`EVENTS_URL=off`).")


class Liveness(BaseModel):
    """The process answers."""

    status: Literal["live"] = Field(default="live", description="Always the same.", examples=["live"])


class Readiness(BaseModel):
    """A model is loaded."""

    status: Literal["ready"] = Field(default="ready", description="Always the same.", examples=["ready"])
    model_version: str = Field(description="The loaded version.", examples=["3"])
