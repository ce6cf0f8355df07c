"""Forgets a user; the route exists only if ADMIN_TOKEN is set."""

import time

from fastapi import APIRouter

from app.contract.events import FORGET, Event
from app.errors import EventsDisabledError, EventsUnavailableError, InvalidParameterError, UnauthorizedError
from app.events.metrics import ACCEPTED
from app.http.dependencies import CurrentEventWriter, CurrentParts
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.operator_token import OPERATOR
from app.http.path_ids import StoredUserPath
from app.http.read_after import until_answers_know
from app.schemas.events import ForgottenUser, new_event_id

ERRORS = (UnauthorizedError, InvalidParameterError, EventsDisabledError, EventsUnavailableError)

router = APIRouter(tags=["users"], dependencies=OPERATOR)


@router.delete("/users/{user_id:any}", responses=ADDRESS_TOO_LONG | error_responses(*ERRORS))
async def forget_user(parts: CurrentParts, writer: CurrentEventWriter, user_id: StoredUserPath) -> ForgottenUser:
    """Forget a user, whether known or not: unknown at once, and absent from the next training."""
    wish = Event(new_event_id(), user_id, None, FORGET, None, time.time())
    appended = await writer.append([wish])
    await until_answers_know(parts.feed, appended.last)
    writer.metrics.counted(FORGET, ACCEPTED)
    return ForgottenUser(user_id=user_id, position=appended.last)
