"""Takes in what users say about films."""

import time
from collections import Counter
from collections.abc import Sequence

from anyio import to_thread
from fastapi import APIRouter, Response

from app.contract.events import Event, EventTypes
from app.contract.ids import as_number
from app.errors import (
    BodyTooLargeError,
    EventsDisabledError,
    EventsUnavailableError,
    InvalidParameterError,
    NoModelError,
)
from app.events.metrics import ACCEPTED, DUPLICATE, UNKNOWN_ITEM, EventMetrics
from app.events.rows import Appended
from app.http.access import EVENTS_PATH
from app.http.body_limit import LimitedRoute, large_bodies
from app.http.dependencies import CurrentEventWriter, CurrentModel, CurrentParts
from app.http.error_answers import error_responses
from app.http.item_lists import json_response
from app.http.parts import Parts
from app.http.read_after import until_answers_know
from app.model.item_fields import to_json
from app.model.store import ServedModel
from app.schemas.events import AppendedEvents, EventsRequest, NewEvent

ERRORS = (InvalidParameterError, EventsDisabledError, NoModelError, EventsUnavailableError, BodyTooLargeError)
MANY = 100  # to sort out more of them takes longer than to pass them to a thread

router = APIRouter(tags=["events"], route_class=LimitedRoute)


@router.post(EVENTS_PATH, responses=error_responses(*ERRORS), response_model=AppendedEvents)
async def append_events(
    parts: CurrentParts, writer: CurrentEventWriter, model: CurrentModel, request: EventsRequest
) -> Response:
    """Store what users say about films; the answer comes once the events survive a crash."""
    models = parts.lanes.models(model)
    if len(request.events) < MANY:
        known, unknown = _sorted_out(models, request)
    else:
        known, unknown = await to_thread.run_sync(_sorted_out, models, request, limiter=large_bodies)
    appended = await writer.append([*known, *_kept(parts, model, unknown)])
    await until_answers_know(parts.feed, appended.last)  # so that this process's next answer knows them
    n_new = _count(writer.metrics, known, unknown, appended)
    answer = {
        "accepted": n_new,
        "duplicates": len(known) - n_new,
        "unknown_items": list(dict.fromkeys(event.item_id for event in unknown)),
        "position": appended.last,
    }
    return json_response(to_json(answer))


def _sorted_out(models: Sequence[ServedModel], request: EventsRequest) -> tuple[list[Event], list[Event]]:
    """The events about films that a version which answers users knows, and the others.

    Raises InvalidParameterError for a type that none of these versions knows, and a value that the type does not have.
    """
    received_at = time.time()
    known: list[Event] = []
    unknown: list[Event] = []
    for number, each in enumerate(request.events):
        _check(f"events.{number}", each, models)
        event = each.as_event(received_at)
        is_known = any(model.recommender.item_row(each.item_id) is not None for model in models)
        (known if is_known else unknown).append(event)
    return known, unknown


def _kept(parts: Parts, model: ServedModel, unknown: Sequence[Event]) -> list[Event]:
    """Those that count once the film is there, as far as there is room."""

    def is_known(item_id: str) -> bool:
        return model.recommender.item_row(item_id) is not None

    may_come = model.artifact.item_ids.dtype.kind != "i"
    possible = [each for each in unknown if may_come or as_number(each.item_id or "") is not None]
    return [each for each in possible if parts.unknown_items.take(each.item_id or "", is_known)]


def _check(place: str, event: NewEvent, models: Sequence[ServedModel]) -> None:
    types = next((model.event_types for model in models if event.type in model.event_types.sendable), None)
    if types is None:
        known = ", ".join(dict.fromkeys(name for model in models for name in model.event_types.sendable))
        raise InvalidParameterError(
            f"{place}.type is {event.type!r}, which the model does not know: use one of {known}.", field=f"{place}.type"
        )
    if problem := _value_problem(event, types):
        raise InvalidParameterError(f"{place}.value is {event.value}: {problem}.", field=f"{place}.value")


def _value_problem(event: NewEvent, types: EventTypes) -> str | None:
    values = types.rules[event.type].values
    if values is None:
        return None if event.value is None else f"a {event.type} has none"
    least, most = values
    is_one = event.value is not None and least <= event.value <= most
    return None if is_one else f"a {event.type} has one from {least:g} to {most:g}"


def _count(metrics: EventMetrics, known: Sequence[Event], unknown: Sequence[Event], appended: Appended) -> int:
    """Count what came of each event; returns how many are new."""
    outcomes = [
        (event.type, DUPLICATE if position is None else ACCEPTED)
        for event, position in zip(known, appended.positions, strict=False)
    ]
    outcomes += [(event.type, UNKNOWN_ITEM) for event in unknown]
    for (event_type, outcome), number in Counter(outcomes).items():
        metrics.counted(event_type, outcome, number)
    return sum(position is not None for position in appended.positions[: len(known)])
