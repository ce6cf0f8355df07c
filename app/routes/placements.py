"""What editors decide of lists, by the name of a placement; the routes exist only if CATALOGUE_KEYS is set."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Response, Security

from app.contract.events import PLACEMENT, Event
from app.contract.placement import Placement
from app.contract.placement_trial import problem
from app.errors import (
    BodyTooLargeError,
    EventsDisabledError,
    EventsUnavailableError,
    InvalidParameterError,
    NoModelError,
    PlacementChangedError,
    UnauthorizedError,
    UnknownPlacementError,
)
from app.events.placements import PlacementChange, Placements
from app.http.access import API_KEY, PLACEMENTS_PATH
from app.http.checked_placements import checked, warnings_of
from app.http.dependencies import CurrentEventWriter, CurrentModel, CurrentParts
from app.http.editors import Edit, Editor, EditorsRoute
from app.http.error_answers import error_responses
from app.http.if_match import check_match
from app.http.item_content import etag
from app.http.read_after import ReadAfter
from app.model.item_fields import to_json
from app.model.store import ServedModel
from app.schemas.placement_content import PlacementContent
from app.schemas.placements import PlacementHistory, PlacementList, PlacementWarning, ShownPlacement, StoredPlacement
from app.schemas.queries import ChangesQuery, PlacementName

MOST = 200  # placements, with those that were deleted
ERRORS = (UnauthorizedError, InvalidParameterError, EventsDisabledError, NoModelError, EventsUnavailableError)
KNOWN = error_responses(*ERRORS, UnknownPlacementError)
CHANGED = error_responses(*ERRORS, UnknownPlacementError, PlacementChangedError)

Name = Annotated[PlacementName, Path(examples=["home"])]


@dataclass(frozen=True, kw_only=True)
class _PlacementEdit(Edit):
    """Who changes which placement."""

    name: Name


PlacementEdit = Annotated[_PlacementEdit, Depends()]

router = APIRouter(
    prefix=PLACEMENTS_PATH, tags=["placements"], route_class=EditorsRoute, dependencies=[Security(API_KEY), ReadAfter]
)


@router.get("", responses=error_responses(*ERRORS))
async def list_placements(
    parts: CurrentParts, model: CurrentModel, writer: CurrentEventWriter, editor: Editor
) -> PlacementList:
    """All placements, with the rules that do nothing now."""
    found = [parts.placements.history[name][-1] for name in sorted(parts.placements.current)]
    return PlacementList(
        placements=await to_thread.run_sync(lambda: [_shown(parts.placements, model, change) for change in found])
    )


@router.get("/{name}", responses=KNOWN)
async def show_placement(
    parts: CurrentParts, model: CurrentModel, writer: CurrentEventWriter, editor: Editor, name: Name, response: Response
) -> ShownPlacement:
    """A placement, with its `ETag`."""
    change = parts.placements.last(name)
    if change is None or change.placement is None:
        raise UnknownPlacementError(name, field="name")
    shown = await to_thread.run_sync(_shown, parts.placements, model, change)
    response.headers["ETag"] = shown.etag
    return shown


@router.get("/{name}/history", responses=KNOWN)
async def show_history(
    parts: CurrentParts, writer: CurrentEventWriter, editor: Editor, name: Name, query: Annotated[ChangesQuery, Query()]
) -> PlacementHistory:
    """What a placement was, who has changed it and when; of the latest 100 changes."""
    changes = parts.placements.history.get(name, ())[::-1]
    if not changes:
        raise UnknownPlacementError(name, field="name")
    shown = [StoredPlacement(**_stored(each)) for each in changes[query.offset : query.offset + query.k]]
    return PlacementHistory(name=name, total=len(changes), changes=shown)


@router.put("/{name}", responses=CHANGED | error_responses(BodyTooLargeError))
async def put_placement(edit: PlacementEdit, request: PlacementContent) -> ShownPlacement:
    """Make a placement, known or new, what it is said to be; the answer warns of rules that do nothing."""
    placements = edit.parts.placements
    if edit.name not in placements.history and len(placements.history) >= MOST:
        raise InvalidParameterError(f"There are {MOST} placements, with those that were deleted.", field="name")
    placement = await to_thread.run_sync(checked, edit.model, request)
    if why := problem(edit.name, {**placements.current, edit.name: placement}):
        raise InvalidParameterError(f"trial.against {why}.", field="trial.against")
    return await _changed(edit, lambda _: placement)


@router.delete("/{name}", responses=CHANGED)
async def delete_placement(edit: PlacementEdit) -> ShownPlacement:
    """Delete a placement: lists of its name are 404. A rollback brings it back."""

    def deleted(former: PlacementChange | None) -> None:
        if former is None or former.placement is None:
            raise UnknownPlacementError(edit.name, field="name")

    return await _changed(edit, deleted)


@router.post("/{name}/rollback", responses=CHANGED)
async def roll_placement_back(
    edit: PlacementEdit,
    position: Annotated[
        int | None, Query(ge=1, description="Of the change to go back to; else of the one before the last.")
    ] = None,
) -> ShownPlacement:
    """Make a placement what it was by an earlier change; twice undoes the undoing."""

    def former(last: PlacementChange | None) -> Placement | None:
        history = edit.parts.placements.history.get(edit.name, ())
        earlier = history[-2:-1] if position is None else [each for each in history if each.position == position]
        if last is None or not earlier:
            raise InvalidParameterError(f"{edit.name!r} has no such earlier change; see its history.", field="position")
        return earlier[0].placement

    return await _changed(edit, former)


async def _changed(edit: _PlacementEdit, make: Callable[[PlacementChange | None], Placement | None]) -> ShownPlacement:
    def change() -> Event:
        last = edit.parts.placements.last(edit.name)
        check_match(_content(last), edit.if_match, PlacementChangedError, f"placement {edit.name!r}")
        placement = make(last)
        body = to_json(None if placement is None else placement.content).decode()
        after = 0 if last is None else last.position
        # Its id is the secret of a trial.
        return Event(str(uuid4()), edit.editor, edit.name, PLACEMENT, None, time.time(), body=body, after=after)

    event, position = await edit.store(change)
    placement = Placement.read(event.body or "")
    stored = PlacementChange(position, edit.name, edit.editor, event.occurred_at, placement)
    shown = await to_thread.run_sync(_shown, edit.parts.placements, edit.model, stored)
    edit.response.headers["ETag"] = shown.etag
    return shown


def _shown(placements: Placements, model: ServedModel, change: PlacementChange) -> ShownPlacement:
    name, placement = change.name, change.placement
    warnings = [] if placement is None else warnings_of(model, placement)
    if placement is not None and (why := problem(name, {**placements.current, name: placement})):
        warnings.append(PlacementWarning(field="trial", message=f"It does not run: against {why}."))
    return ShownPlacement(**_stored(change), warnings=warnings)


def _stored(change: PlacementChange) -> dict[str, object]:
    content = _content(change)
    return change._asdict() | {"placement": content, "etag": etag(content or {})}


def _content(change: PlacementChange | None) -> dict[str, Any] | None:
    return None if change is None or change.placement is None else dict(change.placement.content)
