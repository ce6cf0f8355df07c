"""Answers recommendations for a user as bytes, for both the documented route and the front door."""

from app.contract.recommender import Mask
from app.http.item_lists import list_json
from app.model.selection import allowed_items, liked_rows, recommend, user_profile
from app.model.store import ServedModel
from app.observability.telemetry import Telemetry
from app.schemas.queries import UserQuery

PLAIN = frozenset({"k"})  # a request with no other parameters is plain


def answer_user(model: ServedModel, telemetry: Telemetry, user_id: str, query: UserQuery) -> bytes:
    """`Recommendations` as JSON."""
    return answer_allowed(model, telemetry, user_id, query, allowed_items(model, query))


def answer_allowed(
    model: ServedModel, telemetry: Telemetry, user_id: str, query: UserQuery, allowed: Mask | None
) -> bytes:
    """`Recommendations` as JSON, chosen from the items that `allowed`, bool (n_items,), marks; None allows all."""
    profile = user_profile(model, user_id)
    selection = recommend(model, profile.with_seen_allowed() if query.include_seen else profile, query, allowed)
    source = profile.source
    if query.model_fields_set <= PLAIN:
        telemetry.served_plain(model, user_id, source, selection.rows, query.k)
    else:
        telemetry.served(source, selection.rows, query.k)
    fields = {"user_id": user_id, "model_version": model.version, "source": source}
    return list_json(fields, model, selection, liked_rows(model, user_id) if query.explain else None)
