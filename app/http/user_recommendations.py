"""Answers recommendations for a user as bytes, for both the documented route and the front door."""

from app.contract.item_matrix import Mask
from app.contract.placed import NOTHING_NEW, Placed
from app.contract.rules import Rules
from app.events.placements import Placements
from app.events.resting import NOTHING, RestingItems
from app.http.item_lists import ListAnswer, list_json
from app.http.lanes import Lane
from app.http.list_ids import id_field
from app.http.placed_queries import placed_query, placement_field
from app.model.catalogue_index import filter_key
from app.model.profile import Profile, liked_rows
from app.model.selection import Selection, allowed_items, known_rows, place, placed_page, recommend
from app.observability.served_lists import NotedList
from app.observability.telemetry import FALLBACK
from app.schemas.queries import UserQuery


def answer_user(
    lane: Lane,
    user_id: str,
    query: UserQuery,
    recommendation_id: bytes | None,
    placements: Placements,
    resting: RestingItems = NOTHING,
) -> ListAnswer:
    """`Recommendations` as JSON, and what the caller counts."""
    query, rules = placed_query(placements, lane.model, query)
    return answer_allowed(lane, user_id, query, allowed_items(lane.model, query), recommendation_id, rules, resting)


def answer_allowed(
    lane: Lane,
    user_id: str,
    query: UserQuery,
    allowed: Mask | None,
    recommendation_id: bytes | None,
    rules: Rules | None,
    resting: RestingItems,
) -> ListAnswer:
    """`Recommendations` as JSON, chosen from the items that `allowed`, bool (n_items,), marks; None allows all.

    By rules, items that rest are left out.
    """
    model = lane.model
    profile = lane.profiles.of(model, user_id)
    wanted = profile.with_seen_allowed() if query.include_seen else profile
    selection = (
        recommend(model, wanted, query, allowed)
        if rules is None
        else _placed(lane, user_id, wanted, query, allowed, rules, recommendation_id, resting)
    )
    source, rows = profile.source, selection.rows
    noted = NotedList.of(rows, is_fallback=source == FALLBACK, is_short=len(rows) < query.k)
    fields: dict[str, object] = {
        "user_id": user_id,
        "model_version": model.version,
        **id_field(recommendation_id),
        "source": source,
        **placement_field(query),
    }
    if query.explain and resting:
        fields["resting"] = model.artifact.item_ids[known_rows(model, sorted(resting))].tolist()
    return list_json(fields, model, selection, liked_rows(model, profile) if query.explain else None), source, noted


def _placed(
    lane: Lane,
    user_id: str,
    profile: Profile,
    query: UserQuery,
    allowed: Mask | None,
    rules: Rules,
    recommendation_id: bytes | None,
    resting: RestingItems,
) -> Selection:
    """A list by rules, kept for the next request of the same person, or of others as unknown; explored each time."""
    model = lane.model
    is_known = profile.source != FALLBACK or len(profile.seen)
    said = lane.profiles.overlay.users.get(user_id) if is_known else None  # another object after each event
    wanted = filter_key(query), tuple(query.exclude), query.include_seen, query.offset + query.k, query.diversity
    key = query.placement, user_id if is_known else None, said, resting, *wanted
    rested = profile.without(known_rows(model, resting))
    placed = model.placed_lists.list(key, rules, lambda: _list(lane, rested, query, allowed, rules))
    return placed_page(model, placed, query, rules, profile.seen, recommendation_id)


def _list(lane: Lane, profile: Profile, query: UserQuery, allowed: Mask | None, rules: Rules) -> Placed:
    explore, profiles = rules.placement.explore, lane.profiles
    new = NOTHING_NEW if explore is None else profiles.newcomers.weights(lane.model, explore)
    return place(lane.model, profile, query, allowed, rules, profiles.trending.counts, new)
