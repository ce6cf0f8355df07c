"""Shows how lists pleased, as training has computed it."""

import logging
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import ValidationError

from app.errors import EventsDisabledError, EventsUnavailableError, InvalidParameterError
from app.http.dependencies import CurrentParts, opened_store
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.schemas.pleased import Pleased, PleasedReport

MOST_DAYS = 100
ERRORS = (InvalidParameterError, EventsDisabledError, EventsUnavailableError)

logger = logging.getLogger(__name__)

router = APIRouter(tags=["model"])


# A plain function, which FastAPI runs in a thread: it reads the store.
@router.get("/pleased", responses=ADDRESS_TOO_LONG | error_responses(*ERRORS))
def show_pleased(
    parts: CurrentParts,
    to: Annotated[
        date | None, Query(description="The last day of the report; without it the latest.", examples=["2026-11-22"])
    ] = None,
) -> Pleased:
    """How people liked what they were shown: the figures of a week, by version, place, rank, day and people."""
    with opened_store(parts) as store:
        days = store.report_days(MOST_DAYS)
        last = next(iter(days), None) if to is None else to.isoformat()
        body = None if last is None else store.report(last)
    return Pleased(days=[date.fromisoformat(day) for day in days], report=_read(body))


def _read(body: str | None) -> PleasedReport | None:
    try:
        return None if body is None else PleasedReport.model_validate_json(body)
    except ValidationError as error:  # a newer release of training may have written it
        logger.warning("The report of what pleased can't be read: %s", error.errors(include_input=False)[0]["msg"])
        return None
