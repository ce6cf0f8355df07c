"""Writes lists of items as JSON."""

from collections.abc import Mapping

import numpy as np
from fastapi import Response
from numpy.typing import NDArray

from app.contract.item_matrix import Rows
from app.model.item_fields import to_json
from app.model.ready_lists import SCORE_DECIMALS
from app.model.selection import Selection
from app.model.store import ServedModel
from app.observability.served_lists import NotedList, ReadyList

REASONS_SHOWN = 3

ListAnswer = tuple[bytes, str, NotedList | ReadyList]  # the body as JSON; the source of the list, and what is counted


def list_json(
    fields: Mapping[str, object], model: ServedModel, selection: Selection, history: NDArray[np.integer] | None = None
) -> bytes:
    """A JSON object of `fields`, the selected items in order, why there are fewer than k, and what was explored.

    With a history, item rows, each item lists the closest items of that history, and the rules that moved it. The JSON
    is put together from the packed catalogue: Pydantic's models, which describe the same object, take ten times as
    long.
    """
    pairs = zip(selection.rows.tolist(), selection.scores.round(SCORE_DECIMALS).tolist(), strict=True)
    fragment = model.catalogue.fragment
    places = [
        b'{"rank":%d,%b,"score":%a' % (rank, fragment(row), score)
        for rank, (row, score) in enumerate(pairs, start=selection.offset + 1)
    ]
    if history is not None:
        closest = model.similarity.closest(selection.rows, history, REASONS_SHOWN)
        if selection.rules is not None:
            places = [
                place + b',"rules":%b' % to_json(each) for place, each in zip(places, selection.rules, strict=True)
            ]
        each = zip(places, selection.rows.tolist(), closest, strict=True)
        places = [place + _because(model, row, rows) for place, row, rows in each]
    items = b"},".join(places) + b"}" if places else b""
    reason = b"" if selection.reason is None else b',"reason":"%b"' % selection.reason.encode()
    head = b"".join([b'"%b":%b,' % (name.encode(), to_json(value)) for name, value in fields.items()])
    return b'{%b"items":[%b]%b%b}' % (head, items, reason, _explored(model, selection))


def json_response(body: bytes) -> Response:
    """A response whose body is JSON already."""
    return Response(body, media_type="application/json")


def _explored(model: ServedModel, selection: Selection) -> bytes:
    drawn, ids = selection.explored, model.artifact.item_ids
    if drawn is None:
        return b""
    item_id = ids[selection.rows[drawn.place]].item()
    return b',"explored":%b' % to_json({"item_id": item_id, "odds": drawn.odds, "among": ids[drawn.among].tolist()})


def _because(model: ServedModel, of: int, rows: Rows) -> bytes:
    return b',"because":%b' % to_json([model.catalogue.reason(row, of) for row in rows.tolist()])
