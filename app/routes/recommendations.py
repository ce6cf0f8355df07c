"""What to watch next."""

from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Query, Response

import app.routes.ids  # noqa: F401 - the convertor `any`
from app.errors import (
    ADDRESS_TOO_LONG,
    BodyTooLargeError,
    InvalidParameterError,
    NoModelError,
    UnknownItemsError,
    error_responses,
)
from app.films import BatchRecommendations, Recommendations, TasteRecommendations
from app.queries import BatchRequest, PathText, TasteRequest, UserQuery
from app.recommender import Mask
from app.routes.answers import json_response, listing
from app.routes.bodies import LimitedRoute
from app.routes.dependencies import CurrentModel, CurrentTelemetry
from app.selection import allowed_items, known_rows, recommend, viewer_of, viewer_with
from app.store import ServedModel
from app.telemetry import Telemetry

ERRORS = (InvalidParameterError, NoModelError)
PLAIN = frozenset({"k"})  # parameters that leave a request plain
MAX_QUOTED_IDS = 3
# One at a time: more would take turns with the event loop.
batches = CapacityLimiter(1)

router = APIRouter(tags=["recommendations"], route_class=LimitedRoute)


@router.get(
    "/users/{user_id:any}/recommendations",
    responses=ADDRESS_TOO_LONG | error_responses(*ERRORS),
    response_model=Recommendations,
)
async def recommend_for_user(
    model: CurrentModel,
    telemetry: CurrentTelemetry,
    user_id: Annotated[PathText, Path(description="Any text; a slash as %2F.", examples=["42"])],
    query: Annotated[UserQuery, Query()],
) -> Response:
    """The k films that the user has not seen and would like best; popular ones for an unknown user."""
    if not query.explain:
        return json_response(answer_user(model, telemetry, user_id, query))
    # In a thread: a history may be thousands of films long.
    return json_response(await to_thread.run_sync(answer_user, model, telemetry, user_id, query))


@router.post(
    "/recommendations",
    responses=error_responses(*ERRORS, UnknownItemsError, BodyTooLargeError),
    response_model=TasteRecommendations,
)
async def recommend_for_taste(model: CurrentModel, telemetry: CurrentTelemetry, request: TasteRequest) -> Response:
    """The k films that somebody would like best whom the model does not know, by what they like and dislike."""
    liked, disliked = known_rows(model, request.liked), known_rows(model, request.disliked)
    if not len(liked) and not len(disliked):
        raise _nothing_known(request)
    viewer = viewer_with(model, liked, disliked)
    selection = recommend(model, viewer, request, allowed_items(model, request))
    source = "fold_in" if viewer.source == "personalised" else "popular"
    telemetry.served(source, selection.rows, request.k)
    fields = {"model_version": model.version, "source": source, "unknown": _unknown(model, request)}
    return json_response(listing(fields, model, selection, viewer if request.explain else None))


@router.post(
    "/recommendations/batch",
    responses=error_responses(*ERRORS, BodyTooLargeError),
    response_model=BatchRecommendations,
)
async def recommend_for_users(model: CurrentModel, telemetry: CurrentTelemetry, request: BatchRequest) -> Response:
    """One answer for each of up to 1,000 users, as they would get it one by one; popular films for unknown users."""
    query = UserQuery(**request.model_dump(exclude={"user_ids"}))
    allowed = allowed_items(model, query)

    def answer_all() -> bytes:
        answers = (_answer(model, telemetry, str(user_id), query, allowed) for user_id in request.user_ids)
        return b'{"answers":[%b]}' % b",".join(answers)

    return json_response(await to_thread.run_sync(answer_all, limiter=batches))


def answer_user(model: ServedModel, telemetry: Telemetry, user_id: str, query: UserQuery) -> bytes:
    """`Recommendations` as JSON."""
    return _answer(model, telemetry, user_id, query, allowed_items(model, query))


def _answer(model: ServedModel, telemetry: Telemetry, user_id: str, query: UserQuery, allowed: Mask | None) -> bytes:
    viewer = viewer_of(model, user_id)
    selection = recommend(model, viewer.again() if query.include_seen else viewer, query, allowed)
    source = viewer.source
    if query.model_fields_set <= PLAIN:
        telemetry.served_plain(model, user_id, source, selection.rows, query.k)
    else:
        telemetry.served(source, selection.rows, query.k)
    fields = {"user_id": user_id, "model_version": model.version, "source": source}
    return listing(fields, model, selection, viewer if query.explain else None)


def _unknown(model: ServedModel, request: TasteRequest) -> list[int | str]:
    ids = dict.fromkeys([*request.liked, *request.disliked])
    return [item_id for item_id in ids if model.recommender.item_row(str(item_id)) is None]


def _nothing_known(request: TasteRequest) -> Exception:
    ids = [*request.liked, *request.disliked]
    if not ids:
        return InvalidParameterError("liked and disliked are both empty: give at least one film.", field="liked")
    quoted = ", ".join(repr(str(item_id)[:20]) for item_id in ids[:MAX_QUOTED_IDS])
    more = ", …" if len(ids) > MAX_QUOTED_IDS else ""
    return UnknownItemsError(f"None of the films in liked and disliked is known: {quoted}{more}.", field="liked")
