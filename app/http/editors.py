"""Lets only editors in, who send a key of CATALOGUE_KEYS, tells who they are, and stores what they change."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from app.contract.events import Event
from app.errors import EventsUnavailableError, UnauthorizedError
from app.http.access import API_KEY_HEADER, Secrets, without_blanks
from app.http.body_limit import LimitedRoute
from app.http.dependencies import CurrentEventWriter, CurrentModel, CurrentParts
from app.http.if_match import IfMatch
from app.http.parts import Parts
from app.http.read_after import until_answers_know
from app.setting_types import named_keys

EDIT_SECONDS = 1.9  # a client has the answer within two seconds, however many wait for a store that hangs


class EditorsRoute(LimitedRoute):
    """Asks for an editor's key before it reads a body: a stranger's is not read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """A handler that finds out who asks."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            request.state.editor = _name_of_editor(request)
            return await handler(request)

        return handle


def _name_of_editor(request: Request) -> str:
    parts: Parts = request.app.state.parts
    sent = without_blanks(request.headers.get(API_KEY_HEADER, "").encode("latin-1"))
    keys = parts.settings.catalogue_keys
    names = [name for name, key in named_keys(keys.get_secret_value() if keys else "") if Secrets([key]).accepts(sent)]
    if not names:
        raise UnauthorizedError(f"Send an editor's key in the header {API_KEY_HEADER}.", scheme="ApiKey")
    return names[0]


async def _editor(request: Request) -> str:
    editor: str = request.state.editor
    return editor


Editor = Annotated[str, Depends(_editor)]


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Who changes something, and what the service needs for it."""

    parts: CurrentParts
    model: CurrentModel
    editor: Editor
    writer: CurrentEventWriter
    response: Response
    if_match: IfMatch = None

    async def store(self, change: Callable[[], Event]) -> tuple[Event, int]:
        """Store what `change` makes of what is there now, and return it with its position once answers know it.

        It is made anew where another change has come before it. Raises EventsUnavailableError if that takes too long.
        """
        try:
            event, position = await asyncio.wait_for(self._stored(change), EDIT_SECONDS)
        except asyncio.TimeoutError:
            self.writer.metrics.failed("timeout")
            raise EventsUnavailableError(
                "The store of events is slow, or others change the same all the time; send the change again."
            ) from None
        await until_answers_know(self.parts.feed, position)
        return event, position

    async def _stored(self, change: Callable[[], Event]) -> tuple[Event, int]:
        async with self.parts.changes.turn:
            while True:
                event = change()
                appended = await self.writer.append([event])
                if (position := appended.positions[0]) is not None:
                    return event, position
                await until_answers_know(self.parts.feed, appended.last)
