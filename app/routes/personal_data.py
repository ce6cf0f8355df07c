"""Tells a person all that is held about them."""

from datetime import datetime, timezone

from fastapi import APIRouter

from app.errors import EventsDisabledError, EventsUnavailableError, InvalidParameterError
from app.events.rows import StoredEvent
from app.http.dependencies import CurrentParts, opened_store
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.path_ids import StoredUserPath
from app.schemas.personal_data import Held, HeldAnswer, HeldEvent, HeldExposure, HeldImpression, HeldItem

ERRORS = (InvalidParameterError, EventsDisabledError, EventsUnavailableError)

router = APIRouter(tags=["users"])


# A plain function, which FastAPI runs in a thread: it reads the store.
@router.get("/users/{user_id:any}/data", responses=ADDRESS_TOO_LONG | error_responses(*ERRORS))
def tell_personal_data(parts: CurrentParts, user_id: StoredUserPath) -> Held:
    """All that is held about a user: what they said and were shown, and what the model has learned from."""
    with opened_store(parts) as store:
        stored = store.personal_data(user_id)
    model = parts.store.current
    learned = [] if model is None else parts.profiles.history(model, user_id) or []
    return Held(
        user_id=user_id,
        model_version=None if model is None else model.version,
        history=[
            HeldItem(item_id=str(model.catalogue.item(row)["id"]), liked=liked) for row, liked in learned if model
        ],
        events=[_event(each) for each in stored.events],
        impressions=[HeldImpression.model_validate(each, from_attributes=True) for each in stored.impressions],
        exposures=[HeldExposure.model_validate(each, from_attributes=True) for each in stored.exposures],
        answers=[HeldAnswer.model_validate(each, from_attributes=True) for each in stored.answers],
    )


def _event(event: StoredEvent) -> HeldEvent:
    times = {
        name: datetime.fromtimestamp(getattr(event, name), timezone.utc) for name in ("occurred_at", "received_at")
    }
    return HeldEvent(
        event_id=event.event_id,
        item_id=event.item_id,
        type=event.type,
        value=event.value,
        recommendation_id=event.recommendation_id,
        **times,
    )
