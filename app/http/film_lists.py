"""Lists of films as they are answered."""

from collections.abc import Mapping

import numpy as np
from fastapi import Response
from numpy.typing import NDArray

from app.contract.recommender import Rows
from app.model.film_fields import to_json
from app.model.selection import REASONS_SHOWN, Selection
from app.model.store import ServedModel

SCORE_DECIMALS = 6


def listing(
    fields: Mapping[str, object], model: ServedModel, selection: Selection, history: NDArray[np.integer] | None = None
) -> bytes:
    """A list as JSON: `fields`, the films in their order, and why there are fewer than asked for.

    With a history, item rows, each film has what is closest to it there. Written from the packed catalogue: by way of
    the schemas, which describe the same, it takes ten times as long.
    """
    pairs = zip(selection.rows.tolist(), selection.scores.round(SCORE_DECIMALS).tolist(), strict=True)
    fragment = model.catalogue.fragment
    places = [
        b'{"rank":%d,%b,"score":%a' % (rank, fragment(row), score)
        for rank, (row, score) in enumerate(pairs, start=selection.offset + 1)
    ]
    if history is not None:
        closest = model.similarity.closest(selection.rows, history, REASONS_SHOWN)
        places = [place + _because(model, rows) for place, rows in zip(places, closest, strict=True)]
    items = b"},".join(places) + b"}" if places else b""
    reason = b"" if selection.reason is None else b',"reason":"%b"' % selection.reason.encode()
    head = b"".join([b'"%b":%b,' % (name.encode(), to_json(value)) for name, value in fields.items()])
    return b'{%b"items":[%b]%b}' % (head, items, reason)


def json_response(body: bytes) -> Response:
    """JSON that is already written."""
    return Response(body, media_type="application/json")


def _because(model: ServedModel, rows: Rows) -> bytes:
    films = (model.catalogue.film(row) for row in rows.tolist())
    return b',"because":%b' % to_json([{"id": film["id"], "title": film["title"]} for film in films])
