"""Which films somebody gets: who they are, what they asked for, and why there may be fewer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Float32Array
from app.contract.recommender import Float64Array, Mask, Ranking, Rows
from app.model.similarity import pool_size
from app.model.store import ServedModel
from app.schemas.queries import MAX_K, Filters, ListQuery, TasteQuery

# One pool for all pages of a list: what is on the second page doesn't depend on the size of the first.
POOL = pool_size(MAX_K)
REASONS_SHOWN = 3
NO_ROWS: Rows = np.empty(0, dtype=np.int64)

Source = Literal["personalised", "popular"]
Reason = Literal["unknown_genre", "filtered", "seen", "end_of_catalogue"]


@dataclass(frozen=True)
class Viewer:
    """Somebody to recommend to: a vector, item rows to leave out, and a row if the model knows them."""

    vector: Float32Array
    seen: npt.NDArray[np.integer]
    row: int | None = None

    @property
    def source(self) -> Source:
        """What a list for them is made from: popular films where the vector says nothing."""
        return "personalised" if self.vector.any() else "popular"

    def again(self) -> "Viewer":
        """The same, whom films may be shown that they have seen."""
        return replace(self, seen=NO_ROWS, row=None)


@dataclass(frozen=True)
class Selection:
    """Films in order: rows and scores, the places that were skipped, and why there are fewer than asked for."""

    rows: Rows
    scores: Float64Array
    offset: int = 0
    reason: Reason | None = None


def nobody(model: ServedModel) -> Viewer:
    """Somebody of whom nothing is known."""
    return Viewer(np.zeros(model.artifact.item_embeddings.shape[1], dtype=np.float32), NO_ROWS)


def viewer_of(model: ServedModel, user_id: str) -> Viewer:
    """A user of the model; nobody if it has no such user."""
    row = model.recommender.user_row(user_id)
    if row is None:
        return nobody(model)
    return Viewer(model.recommender.user_vector(row), model.recommender.seen(row), row)


def history_of(model: ServedModel, user_id: str) -> npt.NDArray[np.integer]:
    """The rows of the items that a user has liked, which explain a list; none for a user the model does not know."""
    row = model.recommender.user_row(user_id)
    return NO_ROWS if row is None else model.recommender.liked(row)


def viewer_with(model: ServedModel, liked: Rows, disliked: Rows) -> Viewer:
    """Somebody new, by what they like and dislike: at least one item row."""
    return Viewer(model.recommender.fold_in(liked, disliked), np.concatenate([liked, disliked]))


def allowed_items(model: ServedModel, filters: Filters) -> Mask | None:
    """The films that pass all filters, bool (n_items,), or None for all films."""
    mask = model.catalogue.allowed(filters)
    if filters.exclude:
        mask = np.ones(model.recommender.n_items, dtype=bool) if mask is None else mask.copy()
        mask[known_rows(model, filters.exclude)] = False
    return mask


def known_rows(model: ServedModel, ids: Iterable[int | str]) -> Rows:
    """The rows of those items that the model knows, each once."""
    rows = (model.recommender.item_row(str(item_id)) for item_id in ids)
    return np.unique(np.array([row for row in rows if row is not None], dtype=np.int64))


def recommend(model: ServedModel, viewer: Viewer, query: TasteQuery, allowed: Mask | None) -> Selection:
    """The page that was asked for of the films that are best for somebody."""
    depth = query.offset + query.k
    if query.diversity:
        ranking = _diverse(model, viewer, depth, query.diversity, allowed)
    elif allowed is None and viewer.row is not None:
        ranking = model.recommender.ready(viewer.row, depth)
    else:
        ranking = model.recommender.top(viewer.vector, depth, viewer.seen, allowed)
    return _page(model, ranking, query, everything=model.recommender.n_items, seen=viewer.seen)


def similar(model: ServedModel, row: int, query: ListQuery, allowed: Mask | None) -> Selection:
    """The page that was asked for of the films that are most like one."""
    ranking = model.similarity.similar(row, query.offset + query.k, allowed)
    return _page(model, ranking, query, everything=model.recommender.n_items - 1)


def popular(model: ServedModel, query: ListQuery, allowed: Mask | None) -> Selection:
    """The page that was asked for of the films with most interactions."""
    ranking = model.recommender.top(nobody(model).vector, query.offset + query.k, allowed=allowed)
    return _page(model, ranking, query, everything=model.recommender.n_items)


def _page(
    model: ServedModel, ranking: Ranking, query: ListQuery, *, everything: int, seen: npt.NDArray[np.integer] = NO_ROWS
) -> Selection:
    places = slice(query.offset, query.offset + query.k)
    rows, scores = ranking.items[0, places], ranking.scores[0, places]
    reason = None if len(rows) == query.k else _shortfall(model, len(rows), query, everything, seen)
    return Selection(rows, scores, query.offset, reason)


def _diverse(model: ServedModel, viewer: Viewer, depth: int, diversity: float, allowed: Mask | None) -> Ranking:
    """The pool in the order of MMR; what comes after the pool stays in the order of scores."""
    pool = model.recommender.top(viewer.vector, max(depth, POOL), viewer.seen, allowed)
    head = Ranking(pool.items[:, :POOL], pool.scores[:, :POOL])
    chosen = model.similarity.diversify(head, min(depth, POOL), diversity)
    return Ranking(
        np.concatenate([chosen.items, pool.items[:, POOL:depth]], axis=1),
        np.concatenate([chosen.scores, pool.scores[:, POOL:depth]], axis=1),
    )


def _shortfall(
    model: ServedModel, found: int, query: ListQuery, everything: int, seen: npt.NDArray[np.integer]
) -> Reason:
    """The first of the causes without which there would be more films."""
    if query.genre and not model.catalogue.knows_a_genre(query.genre):
        return "unknown_genre"
    if found < _on_page(everything - len(np.unique(seen)), query):
        return "filtered"
    return "seen" if found < _on_page(everything, query) else "end_of_catalogue"


def _on_page(available: int, query: ListQuery) -> int:
    return max(0, min(query.k, available - query.offset))
