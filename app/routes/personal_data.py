"""Tells a person all that is held about them."""

from contextlib import closing
from datetime import datetime, timezone
from typing import Annotated

from fastapi import APIRouter, Path

import app.http.path_ids  # noqa: F401 - the convertor `any`
from app.errors import EventsDisabledError, EventsUnavailableError, InvalidParameterError
from app.events.open_store import open_store
from app.events.store import EventStoreError, PersonalData, StoredEvent
from app.http.dependencies import NO_EVENTS, CurrentParts
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.parts import Parts
from app.schemas.events import StoredPathText
from app.schemas.personal_data import Held, HeldEvent, HeldExposure, HeldImpression, HeldItem

ERRORS = (InvalidParameterError, EventsDisabledError, EventsUnavailableError)

router = APIRouter(tags=["users"])


# A plain function, which FastAPI runs in a thread: it reads the store.
@router.get("/users/{user_id:any}/data", responses=ADDRESS_TOO_LONG | error_responses(*ERRORS))
def tell_personal_data(
    parts: CurrentParts,
    user_id: Annotated[StoredPathText, Path(description="Any text; a slash as %2F.", examples=["42"])],
) -> Held:
    """All that is held about a user: what they said and were shown, and what the model has learned from."""
    stored, model = _stored(parts, user_id), parts.store.current
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
    )


def _stored(parts: Parts, user_id: str) -> PersonalData:
    address = parts.settings.store_address
    if address is None:
        raise EventsDisabledError(NO_EVENTS)
    try:
        with closing(open_store(address)) as store:
            return store.personal_data(user_id)
    except EventStoreError:
        raise EventsUnavailableError("The store of events does not answer; ask again.") from None


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
