"""Answers recommendations for a user as bytes, for both the documented route and the front door."""

from app.contract.recommender import Mask
from app.http.item_lists import ListAnswer, list_json
from app.http.lanes import Lane
from app.http.list_ids import id_field
from app.model.profile import liked_rows
from app.model.selection import allowed_items, recommend
from app.observability.served_lists import NotedList
from app.observability.telemetry import FALLBACK
from app.schemas.queries import UserQuery


def answer_user(lane: Lane, user_id: str, query: UserQuery, recommendation_id: bytes | None) -> ListAnswer:
    """`Recommendations` as JSON, and what the caller counts."""
    allowed = allowed_items(lane.model, query)
    return answer_allowed(lane, user_id, query, allowed, recommendation_id)


def answer_allowed(
    lane: Lane, user_id: str, query: UserQuery, allowed: Mask | None, recommendation_id: bytes | None
) -> ListAnswer:
    """`Recommendations` as JSON, chosen from the items that `allowed`, bool (n_items,), marks; None allows all."""
    model = lane.model
    profile = lane.profiles.of(model, user_id)
    selection = recommend(model, profile.with_seen_allowed() if query.include_seen else profile, query, allowed)
    source, rows = profile.source, selection.rows
    noted = NotedList.of(rows, is_fallback=source == FALLBACK, is_short=len(rows) < query.k)
    fields = {"user_id": user_id, "model_version": model.version, **id_field(recommendation_id), "source": source}
    return list_json(fields, model, selection, liked_rows(model, profile) if query.explain else None), source, noted
