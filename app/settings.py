"""Reads the settings from environment variables, once, at the start."""

import os
import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.contract.events import MAX_ID_LENGTH
from app.contract.store_address import EMBEDDED_STORE, StoreAddress


class SettingsError(Exception):
    """An environment variable has an invalid value; the message names both."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def comma_separated(text: str) -> list[str]:
    """The parts of a setting that is a list, without spaces around them and without empty parts."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _http_address(address: str) -> str:
    if not HTTP_ADDRESS.fullmatch(address):
        raise ValueError(
            "it must be the address of a server, such as http://127.0.0.1:5000; in a password, write @ as %40, / as %2F"
        )
    return address


def _authorities(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ValueError(f"the file holds no certificates in PEM format ({error})") from error
    return path


def _certificate(path: Path) -> Path:
    try:
        ssl.create_default_context().load_cert_chain(path)
    except OSError as error:
        raise ValueError(f"the file holds no certificate with its key in PEM format ({error})") from error
    return path


def _origins(text: str) -> str:
    for origin in comma_separated(text):
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is neither an origin, such as https://films.example, nor *")
    return text


def _sendable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip(" \t\r\n")  # HTTP drops blanks around a header's value
    if not comma_separated(text):
        raise ValueError("it holds no value")
    if CONTROL_CHARACTERS.search(text):
        raise ValueError("it holds a control character, such as a line break, which no HTTP header can hold")
    return SecretStr(text)


def named_keys(text: str) -> list[tuple[str, str]]:
    """Names and keys of a setting that has both."""
    return [(name.strip(), key.strip()) for name, _, key in (part.partition(":") for part in comma_separated(text))]


def _named(secret: SecretStr) -> SecretStr:
    if not all(name and len(name) <= MAX_ID_LENGTH and key for name, key in named_keys(secret.get_secret_value())):
        raise ValueError("it must be NAME:KEY, or several of them separated by commas")
    return secret


def _events_address(secret: SecretStr | None) -> SecretStr | None:
    return None if secret is None or StoreAddress.of(secret.get_secret_value()) is None else secret


def _password(secret: SecretStr) -> SecretStr:
    return SecretStr(secret.get_secret_value().rstrip("\r\n"))  # the end of the file that it was read from


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
# A part of a password that is not quoted would else be read, and shown, as the host or the path.
HTTP_ADDRESS = re.compile(r"https?://([^@/?#\s]+@)?([^@:/?#\s\[\]]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?(/[^@?#\s]*)?")
SHADOW = "the shadow is a trial whose share is 0: give its version the alias challenger, and write TRIAL_SHARE=0"
FORMER = {"SHADOW_ALIAS": SHADOW, "SHADOW_SHARE": SHADOW}  # to be dropped in release 2
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
ORIGIN = re.compile(r"\*|https?://[^/?#\s;\"'<>&]+")
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Secret = Annotated[SecretStr, AfterValidator(_sendable)]
LogFormat = Annotated[Literal["plain", "json"], BeforeValidator(_lower)]


class Settings(BaseSettings):
    """One field for each environment variable, named in capitals; an empty variable counts as unset."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="forbid")

    mlflow_tracking_uri: Annotated[str, AfterValidator(_http_address)] = Field(
        default="http://127.0.0.1:5000",
        description="Address of the MLflow server, `http://…` or `https://…`.",
    )
    mlflow_tracking_username: str | None = Field(
        default=None,
        min_length=1,
        description="User name for an MLflow server with a login; the right to read is enough, but not to promote.",
    )
    mlflow_tracking_password: Annotated[SecretStr, AfterValidator(_password)] | None = Field(
        default=None, description="Password of that user."
    )
    mlflow_tracking_token: Secret | None = Field(
        default=None, description="Bearer token for MLflow, in place of user name and password."
    )
    mlflow_tracking_server_cert_path: Annotated[FilePath, AfterValidator(_authorities)] | None = Field(
        default=None,
        description="File with the certificate authorities (PEM) that check the MLflow server's certificate.",
    )
    mlflow_tracking_client_cert_path: Annotated[FilePath, AfterValidator(_certificate)] | None = Field(
        default=None,
        description="File with the service's certificate and key (PEM), for an MLflow server that asks.",
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
        default="production",
        pattern=r"^[\w-]+$",
        description="Alias of the version to serve, in upper or lower case.",
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
    events_url: Annotated[SecretStr | None, AfterValidator(_events_address)] = Field(
        default=SecretStr(EMBEDDED_STORE),
        description="Where events are kept: `sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/DATABASE`, or `off`.",
    )
    events_keys: Secret | None = Field(
        default=None,
        description="Keys for events, impressions and a user's data, by commas; if set, those of `API_KEYS` open none.",
    )
    catalogue_keys: Annotated[Secret, AfterValidator(_named)] | None = Field(
        default=None,
        description="Keys of editors, `NAME:KEY` separated by commas; without them no route changes the catalogue.",
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] | None = Field(
        default=None,
        description="Origins, separated by commas, whose web pages may call the service; `*` allows all.",
    )
    image_origins: Annotated[str, AfterValidator(_origins)] | None = Field(
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
    web_page: bool = Field(default=True, description="`false` switches off the page for people at `/`.")
    mlflow_page_uri: Annotated[str, AfterValidator(_http_address)] | None = Field(
        default=None,
        description="Address of MLflow's page for people, if theirs is not `MLFLOW_TRACKING_URI`.",
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
