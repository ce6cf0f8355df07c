"""Films as they are answered."""

import json

from app.films import FilmTitle, RecommendedItem
from app.recommender import Rows
from app.selection import REASONS_SHOWN, Reason, Selection, Viewer
from app.store import ServedModel

SCORE_DECIMALS = 6


def places(model: ServedModel, selection: Selection) -> list[RecommendedItem]:
    """The places of a list."""
    pairs = zip(selection.rows.tolist(), selection.scores.tolist(), strict=True)
    return [
        RecommendedItem(rank=rank, score=round(score, SCORE_DECIMALS), **model.catalogue.film(row))
        for rank, (row, score) in enumerate(pairs, start=selection.offset + 1)
    ]


def explained_places(model: ServedModel, selection: Selection, viewer: Viewer) -> list[RecommendedItem]:
    """The places of a list, each with what is closest to it in somebody's history."""
    closest = model.similarity.closest(selection.rows, viewer.history, REASONS_SHOWN)
    explained = zip(places(model, selection), closest, strict=True)
    return [item.model_copy(update={"because": _titles(model, rows)}) for item, rows in explained]


def encoded(model: ServedModel, user_id: str, source: str, selection: Selection) -> bytes:
    """`Recommendations` as JSON, for many at once: a tenth of the time that it takes by way of the schema."""
    fields = {"user_id": user_id, "model_version": model.version, "source": source}
    pairs = zip(selection.rows.tolist(), selection.scores.tolist(), strict=True)
    items = b",".join(
        b'{"rank":%d,%b,"score":%b}'
        % (rank, model.catalogue.fragment(row), repr(round(score, SCORE_DECIMALS)).encode())
        for rank, (row, score) in enumerate(pairs, start=selection.offset + 1)
    )
    reason = b"" if selection.reason is None else b',"reason":"%b"' % selection.reason.encode()
    return b'%b,"items":[%b]%b}' % (_json(fields)[:-1], items, reason)


def shortage(selection: Selection) -> dict[str, Reason]:
    """The field `reason`, where there is one to give."""
    return {} if selection.reason is None else {"reason": selection.reason}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _titles(model: ServedModel, rows: Rows) -> list[FilmTitle]:
    films = (model.catalogue.film(row) for row in rows.tolist())
    return [FilmTitle(id=film["id"], title=film["title"]) for film in films]
