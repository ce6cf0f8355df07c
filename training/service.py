"""The routes of a running service that editors may use."""

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from training.errors import DataError

SECONDS = 30


class Service:
    """The service at an address, asked with an editor's key."""

    def __init__(self, url: str, key: str) -> None:
        """Raises DataError without a key."""
        if not key:
            raise DataError("no key: set CATALOGUE_KEY to one of the service's CATALOGUE_KEYS")
        self._url, self._headers = url.rstrip("/"), {"X-API-Key": key, "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: object = None, place: str = "the service") -> Any:  # noqa: ANN401
        """The answer; raises DataError that names `place`, what the body is about, where it is none."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._url}{path}", data, self._headers, method=method)  # noqa: S310 - a person's address
        try:
            with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as error:
            text = error.read(10_000).decode(errors="replace")
            raise DataError(f"{place}: {self._url} answers {error.code} to {method} {path}: {text}") from error
        except (URLError, OSError, ValueError) as error:
            raise DataError(f"{self._url} can't be reached or is no service ({error}); see --url") from error
