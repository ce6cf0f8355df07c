"""Chooses the items of a list: for whom, with which filters, and why there may be fewer than k."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from app.contract.artifact_format import Float64Array
from app.contract.conditions import GENRES
from app.contract.item_matrix import Mask, Rows
from app.contract.placed import NOTHING_NEW, Placed
from app.contract.ranking import NO_ROWS, Ranking
from app.contract.rules import Rules
from app.contract.similarity import DIVERSITY_CANDIDATES
from app.model.exploration import Explored, explored
from app.model.profile import ItemRows, Profile, empty_profile
from app.model.ready_lists import SCORE_DECIMALS
from app.model.store import ServedModel
from app.schemas.queries import MAX_K, Filters, ListQuery, PersonalQuery

NO_FILTERS = Filters()

Reason = Literal["unknown_genre", "filtered", "seen", "end_of_catalogue"]


@dataclass(frozen=True)
class Selection:
    """The items of one page, best first: rows, scores, how many were skipped, and why there are fewer than k."""

    rows: Rows
    scores: Float64Array
    offset: int = 0
    reason: Reason | None = None
    rules: list[list[str]] | None = None  # of a placement: those that moved each item
    explored: Explored | None = None


def allowed_items(model: ServedModel, filters: Filters) -> Mask | None:
    """The items that pass all filters, bool (n_items,); None allows all items."""
    mask = model.catalogue.allowed(filters)
    if filters.exclude:
        mask = np.ones(model.recommender.n_items, dtype=bool) if mask is None else mask.copy()
        mask[known_rows(model, filters.exclude)] = False
    return mask


def known_rows(model: ServedModel, ids: Iterable[int | str]) -> Rows:
    """The rows of those items that the model knows, in this order; one that comes twice is where it comes last."""
    rows = [model.recommender.item_row(str(item_id)) for item_id in ids]
    last_first = dict.fromkeys(row for row in reversed(rows) if row is not None)
    return np.array([*last_first][::-1], dtype=np.int64)


def rank(
    model: ServedModel, profile: Profile, k: int, query: Filters = NO_FILTERS, allowed: Mask | None = None
) -> Ranking:
    """The k best items for a profile among those that `allowed`, the mask of the query, marks."""
    if profile.kept is not None and allowed is None and k <= MAX_K:
        return profile.kept.first(k, lambda: _ranked(model, profile, k, query, allowed))
    ready = None
    if profile.row is not None:
        ready = model.recommender.ready_rankings.first(profile.row, k, allowed, profile.newly_seen)
    return _ranked(model, profile, k, query, allowed) if ready is None else ready


def recommend(model: ServedModel, profile: Profile, query: PersonalQuery, allowed: Mask | None) -> Selection:
    """One page of the best items for a profile."""
    depth = query.offset + query.k
    plain = not query.diversity
    ranking = rank(model, profile, depth, query, allowed) if plain else _diverse(model, profile, query, allowed)
    return _page(model, ranking, query, everything=model.recommender.n_items, seen=profile.seen)


def place(
    model: ServedModel,
    profile: Profile,
    query: PersonalQuery,
    allowed: Mask | None,
    rules: Rules,
    trending: Callable[[ServedModel], Float64Array],
    new: Mapping[int, float] = NOTHING_NEW,
) -> Placed:
    """The items of a list up to the end of the page, and those that exploration chooses from, by rules.

    `trending` counts likes of late; `new` are the weights of new items by row.
    """
    recommender, explore = model.recommender, rules.placement.explore
    among = model.subsets.of(_filtered_by(rules.placement.content.get("filter")))
    return rules.rank(
        recommender.scored(profile.vector, profile.seen, allowed, among),
        lambda: recommender.spread.of(profile.vector),
        query.offset + query.k + (0 if explore is None else explore.among),
        model.similarity,
        diversity=query.diversity,
        is_unknown=profile.source == "popular",
        trending=lambda: trending(model),
        new=new,
    )


@lru_cache(maxsize=256)
def _filtered_by(text: str | None) -> Filters:
    return Filters(filter=text)


def placed_page(
    model: ServedModel,
    placed: Placed,
    query: ListQuery,
    rules: Rules,
    seen: ItemRows = NO_ROWS,
    recommendation_id: bytes | None = None,
) -> Selection:
    """One page of a list that rules have made; the first one explores if its placement does and the list has an id."""
    page = _page(model, placed.ranking, query, everything=model.recommender.n_items, seen=seen)
    explore, drawn = rules.placement.explore, None
    if explore is not None and recommendation_id is not None and not query.offset:
        drawn = explored(placed, query.k, explore, recommendation_id)
    if drawn is not None:
        rows, scores = page.rows.copy(), page.scores.copy()
        rows[drawn.place], scores[drawn.place] = drawn.row, drawn.score
        page = replace(page, rows=rows, scores=scores, explored=drawn)
    return replace(page, rules=rules.reasons(placed, page.rows))


def similar(
    model: ServedModel, row: int, query: ListQuery, allowed: Mask | None, rules: Rules | None = None
) -> Selection:
    """One page of the items most similar to one item, by the rules of a placement if there are any."""
    similarity, depth = model.similarity, query.offset + query.k
    if rules is None:
        return _page(model, similarity.similar(row, depth, allowed), query, everything=model.recommender.n_items - 1)
    cosines, diversity = similarity.cosines(row), rules.placement.diversity
    scored = similarity.scored(row, cosines, allowed)
    placed = rules.rank(scored, lambda: float(cosines.std(dtype=np.float64)), depth, similarity, diversity=diversity)
    return placed_page(model, placed, query, rules, np.array([row]))


def popular(model: ServedModel, query: ListQuery, allowed: Mask | None) -> Selection:
    """One page of the items with the most interactions."""
    ranking = rank(model, empty_profile(model), query.offset + query.k, query, allowed)
    return _page(model, ranking, query, everything=model.recommender.n_items)


def by_counts(model: ServedModel, counts: Float64Array, query: ListQuery, allowed: Mask | None) -> Selection:
    """One page of the items with the highest counts, float64 (n_items,); of equal ones, the most popular first."""
    depth, shown = query.offset + query.k, np.ones(len(counts), dtype=bool) if allowed is None else allowed.copy()
    shown[model.recommender.withdrawn] = False
    rows = np.flatnonzero(shown)
    scores = counts[rows].round(SCORE_DECIMALS)
    if len(rows) > depth:
        is_high = scores >= np.partition(scores, -depth)[-depth]
        rows, scores = rows[is_high], scores[is_high]
    order = np.lexsort((-model.artifact.item_popularity[rows], -scores))[:depth]
    ranking = Ranking(rows[order][None], scores[order][None])
    return _page(model, ranking, query, everything=model.recommender.n_items)


def _page(
    model: ServedModel, ranking: Ranking, query: ListQuery, *, everything: int, seen: ItemRows = NO_ROWS
) -> Selection:
    places = slice(query.offset, query.offset + query.k)
    rows, scores = ranking.items[0, places], ranking.scores[0, places]
    reason = None if len(rows) == query.k else _shortfall(model, len(rows), query, everything, seen)
    return Selection(rows, scores, query.offset, reason)


def _ranked(model: ServedModel, profile: Profile, k: int, query: Filters, allowed: Mask | None) -> Ranking:
    return model.recommender.top(profile.vector, k, profile.seen, allowed, model.subsets.of(query))


def _diverse(model: ServedModel, profile: Profile, query: PersonalQuery, allowed: Mask | None) -> Ranking:
    """The candidates in the order of MMR; the items after them stay in the order of their scores.

    MMR needs scores that aren't rounded, and more candidates than a ready list has.
    """
    depth = query.offset + query.k
    ranking = _ranked(model, profile, max(depth, DIVERSITY_CANDIDATES), query, allowed)
    head, tail = slice(None, DIVERSITY_CANDIDATES), slice(DIVERSITY_CANDIDATES, depth)
    candidates = Ranking(ranking.items[:, head], ranking.scores[:, head])
    chosen = model.similarity.diversify(candidates, min(depth, DIVERSITY_CANDIDATES), query.diversity)
    return Ranking(
        np.concatenate([chosen.items, ranking.items[:, tail]], axis=1),
        np.concatenate([chosen.scores, ranking.scores[:, tail]], axis=1),
    )


def _shortfall(model: ServedModel, found: int, query: ListQuery, everything: int, seen: ItemRows) -> Reason:
    """The first cause without which the page would hold more items."""
    withdrawn = model.recommender.withdrawn
    everything, seen = everything - len(withdrawn), np.setdiff1d(seen, withdrawn)
    if query.genre and not model.catalogue.filter.knows_a_tag(GENRES, query.genre):
        return "unknown_genre"
    if found < everything - len(seen) - query.offset:
        return "filtered"
    return "seen" if found < everything - query.offset else "end_of_catalogue"
