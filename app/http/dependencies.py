"""The dependencies of routes: the parts of the service, and those without which a route can't answer."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Annotated, cast

from fastapi import Depends, Request

from app.errors import EventsDisabledError, EventsUnavailableError
from app.events.impressions import Impressions
from app.events.open_store import open_store
from app.events.store import EventStore, EventStoreError
from app.events.writer import EventWriter
from app.http.parts import Parts
from app.model.store import ServedModel


# Coroutines, because FastAPI runs plain functions in a thread pool, which takes longer.
async def _parts(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


CurrentParts = Annotated[Parts, Depends(_parts)]


async def _required_model(parts: CurrentParts) -> ServedModel:
    return parts.store.require()


async def _event_writer(parts: CurrentParts) -> EventWriter:
    if parts.writer is None:
        raise EventsDisabledError
    return parts.writer


async def _impressions(parts: CurrentParts) -> Impressions:
    if parts.impressions is None:
        raise EventsDisabledError
    return parts.impressions


# One model answers the whole request, even if a swap happens meanwhile.
CurrentModel = Annotated[ServedModel, Depends(_required_model)]
CurrentEventWriter = Annotated[EventWriter, Depends(_event_writer)]
CurrentImpressions = Annotated[Impressions, Depends(_impressions)]


@contextmanager
def opened_store(parts: Parts) -> Iterator[EventStore]:
    """The store of events for one request, in a thread; raises EventsDisabledError or EventsUnavailableError."""
    address = parts.settings.store_address
    if address is None:
        raise EventsDisabledError
    try:
        with closing(open_store(address)) as store:
            yield store
    except EventStoreError:
        raise EventsUnavailableError("The store of events does not answer; ask again.") from None
