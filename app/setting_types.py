"""What the values of settings may be."""

import re
import ssl
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, FilePath, SecretStr

from app.contract.events import MAX_ID_LENGTH
from app.contract.store_address import StoreAddress

# A part of a password that is not quoted would else be read, and shown, as the host or the path.
HTTP_ADDRESS = re.compile(r"https?://([^@/?#\s]+@)?([^@:/?#\s\[\]]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?(/[^@?#\s]*)?")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")
ORIGIN = re.compile(r"\*|https?://[^/?#\s;\"'<>&]+")


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


HttpAddress = Annotated[str, AfterValidator(_http_address)]
EventsAddress = Annotated[SecretStr | None, AfterValidator(_events_address)]
Authorities = Annotated[FilePath, AfterValidator(_authorities)]
Certificate = Annotated[FilePath, AfterValidator(_certificate)]
Origins = Annotated[str, AfterValidator(_origins)]
# Without the end of the file that it was read from.
Password = Annotated[SecretStr, AfterValidator(lambda secret: SecretStr(secret.get_secret_value().rstrip("\r\n")))]
Secret = Annotated[SecretStr, AfterValidator(_sendable)]
NamedKeys = Annotated[Secret, AfterValidator(_named)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)]
LogFormat = Annotated[Literal["plain", "json"], BeforeValidator(str.lower)]
