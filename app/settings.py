"""What the service reads from its environment, once, at the edge."""

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, ValidationError
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


def _http_address(address: str) -> str:
    if not HTTP_ADDRESS.fullmatch(address):
        raise ValueError("it is not the address of a server, such as http://127.0.0.1:5000")
    return address


def _authorities(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise ValueError(f"it holds no certificates in PEM format ({error})") from error
    return path


def _certificate(path: Path) -> Path:
    try:
        ssl.create_default_context().load_cert_chain(path)
    except OSError as error:
        raise ValueError(f"it holds no certificate with its key in PEM format ({error})") from error
    return path


def _origins(text: str) -> str:
    for origin in listed(text):
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin such as https://films.example, or *")
    return text


def _not_blank(secret: SecretStr) -> SecretStr:
    if not listed(secret.get_secret_value()):
        raise ValueError("there is nothing in it")
    return secret


SECRETS = {"api_keys", "admin_token", "mlflow_tracking_password", "mlflow_tracking_token"}
HTTP_ADDRESS = re.compile(r"https?://[^/?#\s]+(/[^?#\s]*)?")
ORIGIN = re.compile(r"\*|https?://[^/?#\s]+")
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Secret = Annotated[SecretStr, AfterValidator(_not_blank)]
LogFormat = Annotated[Literal["plain", "json"], BeforeValidator(_lower)]


class Settings(BaseSettings):
    """One field per environment variable, of the same name in capitals; an empty variable counts as unset."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="forbid")

    mlflow_tracking_uri: Annotated[str, AfterValidator(_http_address)] = Field(
        default="http://127.0.0.1:5000",
        description="Address of the MLflow server whose registry is followed: `http://…` or `https://…`.",
    )
    mlflow_tracking_username: str | None = Field(
        default=None, min_length=1, description="Who logs in to an MLflow server that asks for it; reading is enough."
    )
    mlflow_tracking_password: SecretStr | None = Field(default=None, description="The password of that user.")
    mlflow_tracking_token: SecretStr | None = Field(
        default=None, description="A bearer token for MLflow, instead of a name and a password."
    )
    mlflow_tracking_server_cert_path: Annotated[FilePath, AfterValidator(_authorities)] | None = Field(
        default=None,
        description="File with the authorities (PEM) that the MLflow server's certificate is checked with.",
    )
    mlflow_tracking_client_cert_path: Annotated[FilePath, AfterValidator(_certificate)] | None = Field(
        default=None, description="File with a certificate and its key (PEM) to show to the MLflow server."
    )
    mlflow_tracking_insecure_tls: bool = Field(
        default=False, description="`true`: don't check the MLflow server's certificate."
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
    model_dir: Path | None = Field(
        default=None,
        description="Folder with an artifact, such as `models/served`, to serve without MLflow.",
    )
    model_poll_seconds: float = Field(
        default=10,
        gt=0,
        le=86_400,
        description="Seconds between two looks at the alias, or the folder; at most one while there is no model yet.",
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
