"""Takes in which items of which lists were on a screen."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from fastapi import APIRouter

from app.contract.recommendation_id import read_id
from app.errors import BodyTooLargeError, EventsDisabledError, InvalidParameterError
from app.events.impressions import ACCEPTED, DROPPED, EXPIRED
from app.events.rows import Impression
from app.http.access import IMPRESSIONS_PATH
from app.http.body_limit import LimitedRoute
from app.http.dependencies import CurrentImpressions
from app.http.error_answers import error_responses
from app.schemas.impressions import ImpressionsRequest, NewImpression, TakenImpressions

OLDEST_SECONDS = 7 * 24 * 3600  # as long as an event counts for a list
CLOCK_SECONDS = 600  # by which the clocks of two replicas may differ
ERRORS = (InvalidParameterError, EventsDisabledError, BodyTooLargeError)

router = APIRouter(tags=["events"], route_class=LimitedRoute)


@router.post(IMPRESSIONS_PATH, status_code=202, responses=error_responses(*ERRORS))
async def take_impressions(impressions: CurrentImpressions, request: ImpressionsRequest) -> TakenImpressions:
    """Take in which items of which lists were on a screen; they are stored within ten seconds."""
    days = [_day(number, each) for number, each in enumerate(request.impressions)]
    shown = [_shown(day, each) for day, each in zip(days, request.impressions, strict=True) if day is not None]
    items = sum(map(len, shown))
    dropped = impressions.add(row for rows in shown for row in rows)
    expired = sum(len(each.item_ids) for each in request.impressions) - items
    for outcome, number in ((ACCEPTED, items - dropped), (EXPIRED, expired), (DROPPED, dropped)):
        impressions.metrics.items[outcome].inc(number)
    return TakenImpressions(accepted=items - dropped, expired=expired, dropped=dropped)


def _day(number: int, impression: NewImpression) -> str | None:
    """The day of the list, None if it is too long ago; raises InvalidParameterError for what names no list."""
    found = read_id(impression.recommendation_id)
    if found is None:
        place = f"impressions.{number}.recommendation_id"
        raise InvalidParameterError(
            f"{place} is {impression.recommendation_id!r}, which names no list: send the one of its answer.",
            field=place,
        )
    explored = impression.explored
    if explored is not None and explored.item_id not in explored.among:
        place = f"impressions.{number}.explored.item_id"
        raise InvalidParameterError(
            f"{place} is {explored.item_id!r}, which is not in among: send what the answer of the list has.",
            field=place,
        )
    is_recent = -CLOCK_SECONDS <= time.time() - found.time <= OLDEST_SECONDS
    return datetime.fromtimestamp(found.time, timezone.utc).date().isoformat() if is_recent else None


def _shown(day: str, one: NewImpression) -> Sequence[Impression]:
    rows = [
        Impression(day, one.recommendation_id, item_id, one.user_id, rank, one.placement, one.source)
        for rank, item_id in enumerate(one.item_ids, start=one.rank)
    ]
    if (explored := one.explored) is None:
        return rows
    odds, among = explored.odds, json.dumps(explored.among, ensure_ascii=False)
    return [replace(row, odds=odds, among=among) if row.item_id == explored.item_id else row for row in rows]
