"""What to watch next."""

from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Query, Response

import app.http.path_ids  # noqa: F401 - the convertor `any`
from app.errors import BodyTooLargeError, InvalidParameterError, NoModelError, UnknownItemsError
from app.http.bodies import LimitedRoute
from app.http.dependencies import CurrentModel, CurrentTelemetry
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.film_lists import json_response, listing
from app.http.user_recommendations import answer_allowed, answer_user
from app.model.selection import allowed_items, known_rows, recommend, viewer_with
from app.model.store import ServedModel
from app.schemas.items import BatchRecommendations, Recommendations, TasteRecommendations
from app.schemas.queries import BatchRequest, PathText, TasteRequest, UserQuery

ERRORS = (InvalidParameterError, NoModelError)
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
    return json_response(listing(fields, model, selection, liked if request.explain else None))


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
        answers = (answer_allowed(model, telemetry, str(user_id), query, allowed) for user_id in request.user_ids)
        return b'{"answers":[%b]}' % b",".join(answers)

    return json_response(await to_thread.run_sync(answer_all, limiter=batches))


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


FOR_USER = next(route for route in router.routes if getattr(route, "endpoint", None) is recommend_for_user)
