"""The fields of a film as the service answers them."""

import json
from typing import Any

import numpy.typing as npt

from app.contract.catalogue import Catalogue

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class FilmFields:
    """Films by item row, put together from the packed catalogue."""

    def __init__(self, item_ids: npt.NDArray[Any], catalogue: Catalogue) -> None:
        self._item_ids, self._catalogue = item_ids, catalogue

    def film(self, row: int) -> dict[str, Any]:
        """The fields of a film: id, title, year, genres."""
        return {"id": self._item_ids[row].item(), **self._catalogue.film(row)._asdict()}

    def fragment(self, row: int) -> bytes:
        """The fields as they stand in a JSON object: `"id":1,"title":"…","year":1995,"genres":[…]`."""
        return to_json(self.film(row))[1:-1]


def to_json(value: object) -> bytes:
    """Compact JSON in UTF-8; raises UnicodeEncodeError for text that UTF-8 can't express."""
    return _ENCODER.encode(value).encode()
