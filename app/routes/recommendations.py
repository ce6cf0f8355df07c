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
from app.films import BatchRecommendations, Recommendations, RecommendedItem, TasteRecommendations
from app.queries import BatchRequest, PathText, TasteQuery, TasteRequest, UserQuery
from app.recommender import Mask
from app.routes.answers import encoded, explained_places, places, shortage
from app.routes.bodies import LimitedRoute
from app.routes.dependencies import CurrentModel, CurrentTelemetry
from app.selection import Selection, Viewer, allowed_items, known_rows, recommend, viewer_of, viewer_with
from app.store import ServedModel

ERRORS = (InvalidParameterError, NoModelError)
PLAIN = frozenset({"k"})  # parameters that leave a request plain
MAX_QUOTED_IDS = 3
# One at a time: more would take turns with the event loop.
batches = CapacityLimiter(1)

router = APIRouter(tags=["recommendations"], route_class=LimitedRoute)


@router.get(
    "/users/{user_id:any}/recommendations",
    responses=ADDRESS_TOO_LONG | error_responses(*ERRORS),
    response_model_exclude_unset=True,
)
async def recommend_for_user(
    model: CurrentModel,
    telemetry: CurrentTelemetry,
    user_id: Annotated[PathText, Path(description="Any text; a slash as %2F.", examples=["42"])],
    query: Annotated[UserQuery, Query()],
) -> Recommendations:
    """The k films that the user has not seen and would like best; popular ones for an unknown user."""
    viewer, selection = _for_user(model, user_id, query, allowed_items(model, query))
    answer = _recommendations(model, user_id, viewer, selection, await _items(model, viewer, query, selection))
    if query.model_fields_set <= PLAIN:
        telemetry.served_plain(model, user_id, answer.source, selection.rows, query.k)
    else:
        telemetry.served(answer.source, selection.rows, query.k)
    return answer


@router.post(
    "/recommendations",
    responses=error_responses(*ERRORS, UnknownItemsError, BodyTooLargeError),
    response_model_exclude_unset=True,
)
async def recommend_for_taste(
    model: CurrentModel, telemetry: CurrentTelemetry, request: TasteRequest
) -> TasteRecommendations:
    """The k films that somebody would like best whom the model does not know, by what they like and dislike."""
    liked, disliked = known_rows(model, request.liked), known_rows(model, request.disliked)
    if not len(liked) and not len(disliked):
        raise _nothing_known(request)
    viewer = viewer_with(model, liked, disliked)
    selection = recommend(model, viewer, request, allowed_items(model, request))
    source = "fold_in" if viewer.source == "personalised" else "popular"
    telemetry.served(source, selection.rows, request.k)
    return TasteRecommendations(
        model_version=model.version,
        source=source,
        unknown=_unknown(model, request),
        items=await _items(model, viewer, request, selection),
        **shortage(selection),
    )


@router.post(
    "/recommendations/batch",
    responses=error_responses(*ERRORS, BodyTooLargeError),
    response_model=BatchRecommendations,
)
async def recommend_for_users(model: CurrentModel, telemetry: CurrentTelemetry, request: BatchRequest) -> Response:
    """One answer for each of up to 1,000 users, as they would get it one by one; popular films for unknown users."""
    query = UserQuery(**request.model_dump(exclude={"user_ids"}))
    allowed = allowed_items(model, query)

    def answer_one(user_id: str) -> bytes:
        viewer, selection = _for_user(model, user_id, query, allowed)
        telemetry.served(viewer.source, selection.rows, query.k)
        return encoded(model, user_id, viewer.source, selection)

    def answer_all() -> bytes:
        return b'{"answers":[' + b",".join(answer_one(str(user_id)) for user_id in request.user_ids) + b"]}"

    body = await to_thread.run_sync(answer_all, limiter=batches)
    return Response(body, media_type="application/json")


def _for_user(model: ServedModel, user_id: str, query: UserQuery, allowed: Mask | None) -> tuple[Viewer, Selection]:
    viewer = viewer_of(model, user_id)
    return viewer, recommend(model, viewer.again() if query.include_seen else viewer, query, allowed)


async def _items(model: ServedModel, viewer: Viewer, query: TasteQuery, selection: Selection) -> list[RecommendedItem]:
    if not query.explain:
        return places(model, selection)
    # In a thread: a history may be thousands of films long.
    return await to_thread.run_sync(explained_places, model, selection, viewer)


def _recommendations(
    model: ServedModel, user_id: str, viewer: Viewer, selection: Selection, items: list[RecommendedItem]
) -> Recommendations:
    return Recommendations(
        user_id=user_id, model_version=model.version, source=viewer.source, items=items, **shortage(selection)
    )


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
