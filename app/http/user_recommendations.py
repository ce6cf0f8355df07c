"""Recommendations for a user as bytes: what the documented route and the fast path both answer."""

from app.contract.recommender import Mask
from app.http.film_lists import listing
from app.model.selection import allowed_items, history_of, recommend, viewer_of
from app.model.store import ServedModel
from app.observability.telemetry import Telemetry
from app.schemas.queries import UserQuery

PLAIN = frozenset({"k"})  # parameters that leave a request plain


def answer_user(model: ServedModel, telemetry: Telemetry, user_id: str, query: UserQuery) -> bytes:
    """`Recommendations` as JSON."""
    return answer_allowed(model, telemetry, user_id, query, allowed_items(model, query))


def answer_allowed(
    model: ServedModel, telemetry: Telemetry, user_id: str, query: UserQuery, allowed: Mask | None
) -> bytes:
    """`Recommendations` as JSON, made of the films that `allowed`, bool (n_items,), names; None allows all."""
    viewer = viewer_of(model, user_id)
    selection = recommend(model, viewer.again() if query.include_seen else viewer, query, allowed)
    source = viewer.source
    if query.model_fields_set <= PLAIN:
        telemetry.served_plain(model, user_id, source, selection.rows, query.k)
    else:
        telemetry.served(source, selection.rows, query.k)
    fields = {"user_id": user_id, "model_version": model.version, "source": source}
    return listing(fields, model, selection, history_of(model, user_id) if query.explain else None)
