"""What people would get by a placement that need not be saved; it counts in no figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, Response, Security

from app.contract.placement import Placement
from app.contract.predicted_loss import PredictedLoss
from app.contract.rules import Rules
from app.errors import BodyTooLargeError, InvalidParameterError, NoModelError, UnauthorizedError
from app.events.resting import NOTHING, RestingItems
from app.http.access import API_KEY, PLACEMENTS_PATH
from app.http.checked_placements import checked, rules_of, warnings_of
from app.http.dependencies import CurrentModel, CurrentParts
from app.http.editors import Editor, EditorsRoute
from app.http.error_answers import error_responses
from app.http.item_lists import json_response, list_json
from app.http.lanes import Lane
from app.http.parts import Parts
from app.model.item_fields import to_json
from app.model.selection import known_rows, place, placed_page, recommend
from app.model.store import ServedModel
from app.schemas.placement_previews import PARTS, PlacementPreview, PlacementPreviews
from app.schemas.queries import UserQuery

PER_PART = 10  # people of the sample

router = APIRouter(
    prefix=PLACEMENTS_PATH, tags=["placements"], route_class=EditorsRoute, dependencies=[Security(API_KEY)]
)


@router.post(
    "/preview",
    responses=error_responses(UnauthorizedError, InvalidParameterError, NoModelError, BodyTooLargeError),
    response_model=PlacementPreviews,
)
async def preview_placement(
    parts: CurrentParts, model: CurrentModel, editor: Editor, request: PlacementPreview
) -> Response:
    """What people would get by a placement before it is saved."""
    placement = None if request.placement is None else await to_thread.run_sync(checked, model, request.placement)
    users = [str(each) for each in request.user_ids] + ([] if request.part is None else _part(model, request.part))
    resting = await parts.resting.of(users, None if placement is None else placement.rest)
    return json_response(await to_thread.run_sync(_previews, parts, model, placement, users, resting))


def _previews(
    parts: Parts,
    model: ServedModel,
    placement: Placement | None,
    users: Sequence[str],
    resting: Mapping[str, RestingItems],
) -> bytes:
    lanes = [parts.lanes.preview(model, each) for each in users]
    models = {lane.model.version: lane.model for lane in lanes}
    losses = {name: PredictedLoss(each.recommender) for name, each in models.items()}
    rules = {name: None if placement is None else rules_of(each, placement) for name, each in models.items()}
    found = [
        _preview(lane, each, rules[lane.model.version], losses[lane.model.version], resting.get(each, NOTHING))
        for lane, each in zip(lanes, users, strict=True)
    ]
    warnings = [] if placement is None else [each.model_dump() for each in warnings_of(model, placement)]
    answers, kept = b",".join(body for body, _ in found), to_json([share for _, share in found])
    return b'{"answers":[%b],"kept":%b,"warnings":%b}' % (answers, kept, to_json(warnings))


def _part(model: ServedModel, part: int) -> list[str]:
    """A part of a sample of people whom the version knows, of all parts of its ids."""
    n = model.recommender.n_users
    rows = np.unique(np.linspace(0, n - 1, min(n, PARTS * PER_PART), dtype=np.int64))
    return [str(each) for each in model.artifact.user_ids[rows[part::PARTS]].tolist()]


def _preview(
    lane: Lane, user_id: str, rules: Rules | None, loss: PredictedLoss, resting: RestingItems
) -> tuple[bytes, float | None]:
    model, profile, query = lane.model, lane.profiles.of(lane.model, user_id), UserQuery()
    if rules is not None:
        query = UserQuery(k=rules.placement.k, diversity=rules.placement.diversity)
    best = selection = recommend(model, profile, UserQuery(k=query.k), None)
    if rules is not None:
        rested = profile.without(known_rows(model, resting))
        placed = place(model, rested, query, None, rules, lane.profiles.trending.counts)
        selection = placed_page(model, placed, query, rules, profile.seen)
    fields = {"user_id": user_id, "model_version": model.version, "source": profile.source}
    return list_json(fields, model, selection), loss.kept(profile.vector, selection.rows, best.rows)
