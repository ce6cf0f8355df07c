"""What the service answers about itself, and where something went wrong; about films it is films.py."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class ErrorDetail(BaseModel):
    """What went wrong, and in which request."""

    code: str = Field(description="A stable word for programs.", examples=["invalid_parameter"])
    message: str = Field(
        description="A sentence for people.", examples=["k is '0': Input should be greater than or equal to 1."]
    )
    field: str | None = Field(default=None, description="The parameter at fault, if it is one.", examples=["k"])
    request_id: str = Field(
        description="The header X-Request-ID of the request, or what we made up; log lines hold it.",
        examples=["0f8fad5bd9cb469fa16570867728950e"],
    )


class ErrorAnswer(BaseModel):
    """The body of every answer with a status of 400 or more."""

    error: ErrorDetail


class RegistryState(BaseModel):
    """How the last look at the registry went."""

    status: str = Field(
        description="`ok`, `not_checked`, or the code of what is wrong now.", examples=["ok", "registry_unavailable"]
    )
    checked_at: datetime | None = Field(description="When the registry was last asked.")
    succeeded_at: datetime | None = Field(description="When the serving version was last found to be the alias's.")
    warning: str | None = Field(description="Set where two spellings of the alias are on different versions.")


class ModelProblem(BaseModel):
    """Why a version was not loaded."""

    code: str = Field(examples=["artifact_refused"])
    message: str
    version: str | None = Field(description="The version it is about, if it is about one.")
    at: datetime = Field(description="When it was first met.")


class ModelDescription(BaseModel):
    """The model that serves, all null while there is none, and how following the registry goes."""

    name: str = Field(examples=["movie-recommender"])
    alias: str | None = Field(description="Null where a folder is served (`MODEL_DIR`).", examples=["production"])
    version: str | None = Field(
        description="Its number in the registry; of a folder, the start of `content_hash`.", examples=["3"]
    )
    family: str | None = Field(examples=["lightfm"])
    content_hash: str | None = Field(description="SHA-256 of the artifact's manifest, thereby of all its bytes.")
    users: int | None
    items: int | None
    dim: int | None = Field(description="Length of an embedding.")
    loaded_at: datetime | None
    registry: RegistryState
    last_problem: ModelProblem | None = Field(description="The latest one, solved or not; see `registry.status`.")


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """A model is loaded."""

    status: Literal["ready"] = "ready"
    model_version: str = Field(examples=["3"])
