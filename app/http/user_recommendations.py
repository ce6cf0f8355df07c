"""Answers recommendations for a user as bytes, for both the documented route and the front door."""

from app.contract.recommender import Mask
from app.events.profiles import Profiles
from app.http.item_lists import list_json
from app.model.profile import liked_rows
from app.model.selection import allowed_items, recommend
from app.model.store import ServedModel
from app.observability.telemetry import Telemetry
from app.schemas.queries import UserQuery

PLAIN = frozenset({"k"})  # a request with no other parameters is plain


def answer_user(
    model: ServedModel, profiles: Profiles, telemetry: Telemetry | None, user_id: str, query: UserQuery
) -> bytes:
    """`Recommendations` as JSON; without `telemetry` the list is not counted."""
    return answer_allowed(model, profiles, telemetry, user_id, query, allowed_items(model, query))


def answer_allowed(
    model: ServedModel,
    profiles: Profiles,
    telemetry: Telemetry | None,
    user_id: str,
    query: UserQuery,
    allowed: Mask | None,
) -> bytes:
    """`Recommendations` as JSON, chosen from the items that `allowed`, bool (n_items,), marks; None allows all."""
    profile = profiles.of(model, user_id)
    selection = recommend(model, profile.with_seen_allowed() if query.include_seen else profile, query, allowed)
    source = profile.source
    if telemetry is not None and query.model_fields_set <= PLAIN:
        telemetry.served_plain(model, user_id, source, selection.rows, query.k)
    elif telemetry is not None:
        telemetry.served(source, selection.rows, query.k)
    fields = {"user_id": user_id, "model_version": model.version, "source": source}
    return list_json(fields, model, selection, liked_rows(model, profile) if query.explain else None)
