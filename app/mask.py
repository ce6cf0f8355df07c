"""Hides the secrets of the settings in what is shown: the last line of defence, behind sentences of our own."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import SecretStr

from app.setting_types import comma_separated, named_keys
from app.settings import Settings

HIDDEN = "***"
LEAST = 6  # characters: to hide a shorter text would spoil other words, and it is no secret


class Mask:
    """Replaces each secret, in whatever way it is written."""

    def __init__(self, settings: Settings) -> None:
        forms = {form for secret in _secrets(settings) for form in _forms(secret) if len(form) >= LEAST}
        # The longest first, so that no end of one stays.
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)


def _secrets(settings: Settings) -> Iterator[str]:
    for value in settings.model_dump().values():
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            yield from (text, *comma_separated(text), *(key for _, key in named_keys(text)))
    addresses = [settings.mlflow_tracking_uri, settings.mlflow_page_uri]
    addresses += [settings.events_url.get_secret_value()] if settings.events_url is not None else []
    for address in filter(None, addresses):
        parts = urlsplit(address)
        yield from (parts.netloc.rpartition("@")[0], parts.password or "")
        yield from (value for name, value in parse_qsl(parts.query) if name == "password")


def _forms(secret: str) -> Iterator[str]:
    for text in (secret, unquote(secret)):
        yield from (text, quote(text, safe=""), repr(text)[1:-1], json.dumps(text)[1:-1])
        # Of a header: each of three alignments, without the characters that depend on what is around.
        for before in range(3):
            coded = b64encode(bytes(before) + text.encode()).decode().rstrip("=")
            yield coded[-(-8 * before // 6) : -1]
