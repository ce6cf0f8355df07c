"""What the service reads from its environment, once, at the edge."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """An environment variable has a value that the service can't use; the message names both."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]


class Settings(BaseSettings):
    """One field per environment variable, of the same name in capitals; an empty variable counts as unset."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="forbid")

    mlflow_tracking_uri: str = Field(
        default="http://127.0.0.1:5000",
        min_length=1,
        description="Address of the MLflow server whose registry is followed.",
    )
    model_name: str = Field(
        default="movie-recommender",
        # MLflow refuses slashes and colons in names too; a leading dot would leave the cache directory.
        pattern=r"^[^/:.][^/:]*$",
        description="Name of the registered model.",
    )
    model_alias: str = Field(
        default="production",
        pattern=r"^[\w-]+$",
        description="Alias of the version to serve, in any spelling (`Production` is the same).",
    )
    model_poll_seconds: float = Field(
        default=10,
        gt=0,
        le=86_400,
        description="Seconds between two looks at the alias; at most one while there is no model yet.",
    )
    model_cache_dir: Path = Field(
        default=Path(".cache/models"),
        description="Directory for downloaded versions; the last good one is served from here while MLflow is down.",
    )
    registry_timeout_seconds: int = Field(
        default=5, ge=1, le=600, description="Seconds after which a silent MLflow server counts as down."
    )
    log_level: LogLevel = Field(
        default="INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`; lines go to standard error."
    )

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the environment; raises SettingsError naming the variable, its value and what is allowed."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(" ".join(_sentence(dict(problem)) for problem in error.errors())) from None


def _sentence(problem: dict[str, Any]) -> str:
    variable = "_".join(map(str, problem["loc"])).upper()
    return f"The environment variable {variable} is {problem['input']!r}: {problem['msg']}."
