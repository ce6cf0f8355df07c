"""Reads the settings from environment variables, once, at the start."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.contract.store_address import ADDRESSES, EMBEDDED_STORE, StoreAddress
from app.setting_types import (
    Authorities,
    Certificate,
    EventsAddress,
    HttpAddress,
    LogFormat,
    LogLevel,
    NamedKeys,
    Origins,
    Password,
    Secret,
)


class SettingsError(Exception):
    """An environment variable has an invalid value; the message names both."""


# Their values, which may be wrong by one character only, are never shown.
SECRETS = {
    "api_keys",
    "events_keys",
    "events_url",
    "admin_token",
    "catalogue_keys",
    "mlflow_tracking_uri",
    "mlflow_tracking_password",
    "mlflow_tracking_token",
    "mlflow_page_uri",
}
SHADOW = "the shadow is a trial whose share is 0: give its version the alias challenger, and write TRIAL_SHARE=0"
FORMER = {"SHADOW_ALIAS": SHADOW, "SHADOW_SHARE": SHADOW}  # to be dropped in release 2


class Settings(BaseSettings):
    """One field for each environment variable, named in capitals; an empty variable counts as unset."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="forbid")

    mlflow_tracking_uri: HttpAddress = Field(
        default="http://127.0.0.1:5000", description="Address of the MLflow server, `http://…` or `https://…`."
    )
    mlflow_tracking_username: str | None = Field(
        default=None,
        min_length=1,
        description="User name for an MLflow server with a login; the right to read is enough, but not to promote.",
    )
    mlflow_tracking_password: Password | None = Field(default=None, description="Password of that user.")
    mlflow_tracking_token: Secret | None = Field(
        default=None, description="Bearer token for MLflow, in place of user name and password."
    )
    mlflow_tracking_server_cert_path: Authorities | None = Field(
        default=None,
        description="File with the certificate authorities (PEM) that check the MLflow server's certificate.",
    )
    mlflow_tracking_client_cert_path: Certificate | None = Field(
        default=None, description="File with the service's certificate and key (PEM), for an MLflow server that asks."
    )
    mlflow_tracking_insecure_tls: bool = Field(
        default=False, description="`true` turns off the check of the MLflow server's certificate."
    )
    model_name: str = Field(
        default="movie-recommender",
        # MLflow refuses slashes and colons in names, too. A name with a leading dot could leave the cache directory.
        pattern=r"^[^/:.][^/:]*$",
        description="Name of the registered model.",
    )
    model_alias: str = Field(
        default="production", pattern=r"^[\w-]+$", description="Alias of the version to serve, in upper or lower case."
    )
    model_dir: Path | None = Field(
        default=None,
        description="Folder with an artifact, such as `models/served`, to serve in place of MLflow's registry.",
    )
    model_poll_seconds: float = Field(
        default=10,
        gt=0,
        le=86_400,
        description="Seconds between two polls of the alias, or the folder; at most 1 while no model is loaded.",
    )
    model_cache_dir: Path = Field(
        default=Path(".cache/models"),
        description="Directory for downloaded versions; the service starts from the last good one if MLflow is down.",
    )
    registry_timeout_seconds: int = Field(
        default=5,
        ge=1,
        le=600,
        description="Seconds without an answer, or with one that only drips, after which MLflow counts as down.",
    )
    log_level: LogLevel = Field(
        default="INFO", description="Lowest level to log: `DEBUG`, `INFO`, `WARNING` or `ERROR`."
    )
    log_format: LogFormat = Field(default="plain", description="`plain` lines for people, or `json` for programs.")
    api_keys: Secret | None = Field(
        default=None,
        description="API keys, separated by commas; if set, each request needs one of them in the header `X-API-Key`.",
    )
    admin_token: Secret | None = Field(
        default=None,
        description="Bearer token for promoting, reloading and forgetting; without it these routes don't exist.",
    )
    events_url: EventsAddress = Field(
        default=SecretStr(EMBEDDED_STORE), description=f"Where events are kept: {ADDRESSES}."
    )
    events_keys: Secret | None = Field(
        default=None,
        description="Keys for events, impressions and a user's data, by commas; if set, those of `API_KEYS` open none.",
    )
    catalogue_keys: NamedKeys | None = Field(
        default=None,
        description="Keys of editors, `NAME:KEY` separated by commas; without them no route changes the catalogue.",
    )
    cors_origins: Origins | None = Field(
        default=None, description="Origins, separated by commas, whose web pages may call the service; `*` allows all."
    )
    image_origins: Origins | None = Field(
        default=None,
        description="Origins, separated by commas, from which the page shows pictures, too; `*` allows all.",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port of the metrics of one worker; each worker takes the first free port from this one on.",
    )
    metrics_host: str = Field(
        default="127.0.0.1", min_length=1, description="Address on which the workers' ports for metrics listen."
    )
    drain_seconds: float = Field(
        default=0,
        ge=0,
        le=600,
        description="Seconds between SIGTERM, when `/health/ready` begins to answer 503, and the end of the service.",
    )
    trial_share: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Share of users who get the challenger; 0: its lists are only compared. Unset: as its trial says.",
    )
    answered_share: float = Field(
        default=0,
        ge=0,
        le=1,
        description="Share of answered lists that are kept, for figures where nobody sends impressions.",
    )
    web_page: bool = Field(default=True, description="`false` switches off the page for people at `/`.")
    mlflow_page_uri: HttpAddress | None = Field(
        default=None, description="Address of MLflow's page for people, if theirs is not `MLFLOW_TRACKING_URI`."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_utf_8(cls, value: object) -> object:
        try:
            str(value).encode()
        except UnicodeEncodeError:
            raise ValueError("it is not UTF-8") from None
        return value

    @property
    def store_address(self) -> StoreAddress | None:
        """Where events are kept; None if nowhere."""
        return None if self.events_url is None else StoreAddress(self.events_url.get_secret_value())

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read the environment; raises SettingsError with the variable, its value and what is allowed."""
        for variable in FORMER.keys() & {name.upper() for name, value in os.environ.items() if value}:
            raise SettingsError(f"The environment variable {variable} has gone: {FORMER[variable]}.")
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(" ".join(_sentence(dict(problem)) for problem in error.errors())) from None


def _sentence(problem: dict[str, Any]) -> str:
    variable = str(problem["loc"][0]).upper()
    if variable.lower() in SECRETS:
        return f"The environment variable {variable} is invalid: {problem['msg']}."
    return f"The environment variable {variable} is {problem['input']!r}: {problem['msg']}."
