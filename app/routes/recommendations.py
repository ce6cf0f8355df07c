"""Recommends items: for one user, for many users, and for a new user by fold-in."""

from collections.abc import Mapping
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Response

from app.contract.artifact_format import Float32Array
from app.contract.attributes import person_vector
from app.contract.item_document import DocumentError
from app.contract.item_matrix import Mask
from app.contract.rules import Rules
from app.errors import (
    AliasNotLoadedError,
    BodyTooLargeError,
    InvalidParameterError,
    NoModelError,
    UnknownItemsError,
    UnknownPlacementError,
)
from app.events.resting import NOTHING, RestingItems
from app.http.body_limit import LimitedRoute
from app.http.dependencies import CurrentModel, CurrentParts
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.item_lists import ListAnswer, json_response, list_json
from app.http.lanes import Lane
from app.http.list_ids import id_field, list_response
from app.http.parts import Parts
from app.http.path_ids import UserPath
from app.http.placed_queries import placed_query, placement_field
from app.http.read_after import ReadAfter
from app.http.user_recommendations import answer_allowed, answer_user
from app.model.profile import fold_in_profile, liked_rows
from app.model.selection import allowed_items, known_rows, place, placed_page, recommend
from app.model.store import ServedModel
from app.observability.served_lists import NotedList
from app.observability.telemetry import FALLBACK
from app.schemas.bodies import BatchRequest, FoldInRequest
from app.schemas.lists import BatchRecommendations, FoldInRecommendations, Recommendations
from app.schemas.queries import UserQuery

ERRORS = (InvalidParameterError, NoModelError, UnknownPlacementError)
MAX_QUOTED_IDS = 3
# One batch at a time: two would slow down the event loop.
batches = CapacityLimiter(1)

router = APIRouter(tags=["recommendations"], route_class=LimitedRoute)


@router.get(
    "/users/{user_id:any}/recommendations",
    responses=ADDRESS_TOO_LONG | error_responses(*ERRORS, AliasNotLoadedError),
    response_model=Recommendations,
    dependencies=[ReadAfter],
)
async def recommend_for_user(
    parts: CurrentParts, model: CurrentModel, user_id: UserPath, query: Annotated[UserQuery, Query()]
) -> Response:
    """The k films that a user has not seen and would like best; popular films for an unknown user."""
    lane, query = parts.placement_arms.of(_lane(parts, model, user_id, query), model, user_id, query)
    recommendation_id = lane.id_for(user_id)
    resting = (await parts.resting.of([user_id], parts.placements.rest(query.placement))).get(user_id, NOTHING)
    asked = lane, user_id, query, recommendation_id, parts.placements, resting
    # With a reason in a thread, because a history may hold thousands of items.
    body, source, noted = await to_thread.run_sync(answer_user, *asked) if query.explain else answer_user(*asked)
    lane.count(user_id, source, noted, recommendation_id, query, is_plain=query.is_plain)
    return list_response(body, recommendation_id)


@router.post(
    "/recommendations",
    responses=error_responses(*ERRORS, UnknownItemsError, BodyTooLargeError),
    response_model=FoldInRecommendations,
)
async def recommend_by_fold_in(parts: CurrentParts, model: CurrentModel, request: FoldInRequest) -> Response:
    """The k films that a new user would like best, from films that they like and dislike, and from attributes."""
    liked, disliked = known_rows(model, request.liked), known_rows(model, request.disliked)
    start = _start(model, request.attributes)
    if not len(liked) and not len(disliked) and (request.has_ids or not request.attributes):
        raise _no_known_item(request)
    request, rules = placed_query(parts.placements, model, request)
    profile, allowed = fold_in_profile(model, liked, disliked, start), allowed_items(model, request)
    if rules is None:
        selection = recommend(model, profile, request, allowed)
    else:
        placed = place(model, profile, request, allowed, rules, parts.trending.counts)
        selection = placed_page(model, placed, request, rules, profile.seen)
    source = "fold_in" if profile.source == "personalised" else "popular"
    lane = parts.lanes.apart(model) if request.preview else parts.lanes.outside(model)
    rows = selection.rows
    noted = NotedList.of(rows, is_fallback=source == FALLBACK, is_short=len(rows) < request.k)
    lane.count("", source, noted)
    recommendation_id = lane.id_for("")
    fields = {
        "model_version": model.version,
        **id_field(recommendation_id),
        "source": source,
        **placement_field(request),
        "unknown": _unknown(model, request),
    }
    body = list_json(fields, model, selection, liked_rows(model, profile) if request.explain else None)
    return list_response(body, recommendation_id)


@router.post(
    "/recommendations/batch",
    responses=error_responses(*ERRORS, BodyTooLargeError),
    response_model=BatchRecommendations,
    dependencies=[ReadAfter],
)
async def recommend_for_users(parts: CurrentParts, model: CurrentModel, request: BatchRequest) -> Response:
    """One answer for each of up to 1,000 users, the same as if each had asked alone."""
    query = UserQuery(**request.model_dump(exclude={"user_ids"}, exclude_unset=True))
    lanes = parts.lanes
    asked: dict[tuple[str, str | None], tuple[UserQuery, Rules | None, Mask | None]] = {}
    users = [str(user_id) for user_id in request.user_ids]

    def divide() -> list[tuple[Lane, UserQuery]]:
        return [parts.placement_arms.of(lanes.of(model, user_id), model, user_id, query) for user_id in users]

    arms = await to_thread.run_sync(divide, limiter=batches)
    resting: dict[str, RestingItems] = {}
    for name in {each.placement for _, each in arms}:
        of_name = (user_id for user_id, (_, each) in zip(users, arms, strict=True) if each.placement == name)
        resting |= await parts.resting.of(of_name, parts.placements.rest(name))

    def answer(user_id: str, lane: Lane, query: UserQuery) -> tuple[Lane, str, ListAnswer]:
        if lane.tallies:  # nobody may ever be shown the list
            lane = lanes.apart(lane.model, lane.profiles, is_shown=True)
        arm = lane.model.version, query.placement
        if arm not in asked:  # during trials there are up to four
            placed, rules = placed_query(parts.placements, lane.model, query)
            asked[arm] = placed, rules, allowed_items(lane.model, placed)
        placed, rules, allowed = asked[arm]
        rested = resting.get(user_id, NOTHING)
        return lane, user_id, answer_allowed(lane, user_id, placed, allowed, lane.id_for(user_id), rules, rested)

    def answer_all() -> list[tuple[Lane, str, ListAnswer]]:
        return [answer(user_id, *arm) for user_id, arm in zip(users, arms, strict=True)]

    answers = await to_thread.run_sync(answer_all, limiter=batches)
    for lane, user_id, (_, source, noted) in answers:
        lane.count(user_id, source, noted)
    return json_response(b'{"answers":[%b]}' % b",".join(body for _, _, (body, _, _) in answers))


def _lane(parts: Parts, live: ServedModel, user_id: str, query: UserQuery) -> Lane:
    # The figures are about the lists that users get, and so is what is kept of profiles.
    if query.alias is not None:
        named = parts.versions.named(query.alias)
        return parts.lanes.apart(named, is_shown=named is live and not query.preview)
    return parts.lanes.preview(live, user_id) if query.preview else parts.lanes.of(live, user_id)


def _unknown(model: ServedModel, request: FoldInRequest) -> list[int | str]:
    ids = dict.fromkeys([*request.liked, *request.disliked])
    return [item_id for item_id in ids if model.recommender.item_row(str(item_id)) is None]


def _start(model: ServedModel, attributes: Mapping[str, Any]) -> Float32Array | None:
    try:
        return person_vector(model.artifact, attributes) if attributes else None
    except DocumentError as error:
        raise InvalidParameterError(f"attributes.{error}.", field=f"attributes.{error.field}") from error


def _no_known_item(request: FoldInRequest) -> Exception:
    ids = [*request.liked, *request.disliked]
    if not ids:
        return InvalidParameterError(
            "liked and disliked are both empty: send the id of at least one film, or attributes.", field="liked"
        )
    quoted = ", ".join(repr(str(item_id)[:20]) for item_id in ids[:MAX_QUOTED_IDS])
    more = ", …" if len(ids) > MAX_QUOTED_IDS else ""
    return UnknownItemsError(f"None of the films in liked and disliked is known: {quoted}{more}.", field="liked")
