"""Lets a client read what it has written: the header X-Read-After names a position to wait for."""

from typing import Annotated

from fastapi import Depends, Header, Request

from app.events.feed import Feed
from app.http.dependencies import CurrentParts

READ_AFTER, POSITION = "X-Read-After", "X-Position"
READ_AFTER_SECONDS = 0.25
LAST_POSITION = 10**15  # more than any store will have


async def _wait(
    request: Request,
    parts: CurrentParts,
    position: Annotated[
        int,
        Header(
            alias=READ_AFTER,
            ge=0,
            le=LAST_POSITION,
            description="A `position` that `POST /events` has answered: wait up to 250 ms until its events count.",
            examples=[17],
        ),
    ] = 0,
) -> None:
    feed = parts.feed
    if READ_AFTER not in request.headers or feed is None:
        return
    await until_answers_know(feed, position)
    request.state.position = feed.state.position  # the middleware sends it


async def until_answers_know(feed: Feed | None, position: int) -> None:
    """Wait, for a moment, until this process's answers know the events up to a position."""
    if feed is not None:
        await feed.has(position, READ_AFTER_SECONDS)


ReadAfter = Depends(_wait)
