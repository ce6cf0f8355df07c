"""What the service reads from its environment, once, at the edge."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """An environment variable has a value that the service can't use; the message names both."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def listed(text: str) -> list[str]:
    """The parts of a setting that is a list: separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _origins(text: str) -> str:
    for origin in listed(text):
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin such as https://films.example, or *")
    return text


def _not_blank(secret: SecretStr) -> SecretStr:
    if not listed(secret.get_secret_value()):
        raise ValueError("there is nothing in it")
    return secret


SECRETS = {"api_keys", "admin_token"}
ORIGIN = re.compile(r"\*|https?://[^/?#\s]+")
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Secret = Annotated[SecretStr, AfterValidator(_not_blank)]
LogFormat = Annotated[Literal["plain", "json"], BeforeValidator(_lower)]


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
    log_format: LogFormat = Field(default="plain", description="`plain` lines for people, or `json` for programs.")
    api_keys: Secret | None = Field(
        default=None,
        description="Keys separated by commas; if set, each request needs one of them in the header `X-API-Key`.",
    )
    admin_token: Secret | None = Field(
        default=None, description="Switches `POST /model/reload` on, for who sends it as a bearer token."
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] | None = Field(
        default=None,
        description="Origins separated by commas, or `*`, whose pages in a browser may call the service.",
    )
    drain_seconds: float = Field(
        default=0,
        ge=0,
        le=600,
        description="Seconds between SIGTERM, when `/health/ready` turns 503, and the end of the service.",
    )
    shadow_alias: str | None = Field(
        default=None,
        pattern=r"^[\w-]+$",
        description="Alias of a version, such as `challenger`, to compare with in the background.",
    )
    shadow_share: float = Field(
        default=0.1, gt=0, le=1, description="Share of the plain requests that are compared with the shadow."
    )

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the environment; raises SettingsError naming the variable, its value and what is allowed."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(" ".join(_sentence(dict(problem)) for problem in error.errors())) from None


def _sentence(problem: dict[str, Any]) -> str:
    variable = str(problem["loc"][0]).upper()
    if variable.lower() in SECRETS:
        return f"The environment variable {variable} can't be used: {problem['msg']}."
    return f"The environment variable {variable} is {problem['input']!r}: {problem['msg']}."
