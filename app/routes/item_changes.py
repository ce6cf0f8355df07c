"""Changes the catalogue: items come, change and go at once; the routes exist only if CATALOGUE_KEYS is set."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Security

from app.contract.events import CHANGE, Event
from app.contract.ids import as_number
from app.contract.item_document import DocumentError, checked
from app.errors import (
    BodyTooLargeError,
    EventsDisabledError,
    EventsUnavailableError,
    InvalidParameterError,
    ItemChangedError,
    NoModelError,
    UnauthorizedError,
    UnknownItemError,
)
from app.events.catalogue_changes import Change
from app.http.access import API_KEY, CATALOGUE_PATH, CHANGES_PATH
from app.http.dependencies import CurrentEventWriter, CurrentModel, CurrentParts
from app.http.editors import Edit, Editor, EditorsRoute
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.if_match import check_match
from app.http.item_content import Content, content_of, etag
from app.http.read_after import ReadAfter, until_answers_know
from app.model.item_fields import to_json
from app.model.store import ServedModel
from app.schemas.events import StoredPathText, new_event_id
from app.schemas.item_changes import (
    ChangedItems,
    ItemChange,
    ItemContent,
    ItemPatch,
    NewItems,
    RecentChange,
    RecentChanges,
)
from app.schemas.queries import ChangesQuery

ERRORS = (UnauthorizedError, InvalidParameterError, EventsDisabledError, NoModelError, EventsUnavailableError)
WITH_BODY = ADDRESS_TOO_LONG | error_responses(*ERRORS, UnknownItemError, ItemChangedError, BodyTooLargeError)
WITHOUT_BODY = ADDRESS_TOO_LONG | error_responses(*ERRORS, UnknownItemError, ItemChangedError)

ItemPath = Annotated[StoredPathText, Path(description="Any text; a slash as %2F.", examples=["601"])]


@dataclass(frozen=True, kw_only=True)
class _ItemEdit(Edit):
    """Who changes which item."""

    item_id: ItemPath


ItemEdit = Annotated[_ItemEdit, Depends()]

router = APIRouter(tags=["catalogue"], route_class=EditorsRoute, dependencies=[Security(API_KEY), ReadAfter])


@router.get(CHANGES_PATH, responses=error_responses(*ERRORS))
async def list_changes(
    parts: CurrentParts, writer: CurrentEventWriter, editor: Editor, query: Annotated[ChangesQuery, Query()]
) -> RecentChanges:
    """The latest changes of the catalogue: who changed what, and when."""
    recent = list(parts.changes.recent)[::-1]
    shown = recent[query.offset : query.offset + query.k]
    changes = [
        RecentChange(
            position=each.position,
            id=each.item_id,
            item=dict(each.document.content),
            editor=each.editor,
            made_at=each.made_at,
            etag=etag(each.document.content),
            before=_before(parts, each),
        )
        for each in shown
    ]
    return RecentChanges(total=len(recent), changes=changes)


def _before(parts: CurrentParts, change: Change) -> Content | None:
    """What an item had before a change: by another one, or as the version has learned it."""
    if change.before is not None:
        return dict(change.before.content)
    learned = parts.store.loaded
    row = None if learned is None else learned.recommender.item_row(change.item_id)
    content = None if learned is None or row is None else learned.catalogue.content(row)
    return None if content == change.document.content else content


@router.post(CATALOGUE_PATH, responses=error_responses(*ERRORS, BodyTooLargeError))
async def put_items(
    parts: CurrentParts, writer: CurrentEventWriter, model: CurrentModel, editor: Editor, request: NewItems
) -> ChangedItems:
    """Make many items what they are said to be; all or none."""
    events = []
    for number, each in enumerate(request.items):
        content = {key: value for key, value in each.content.items() if key != "id"}
        events.append(_event(model, editor, each.id, content, place=f"items.{number}."))
    appended = await writer.append(events)
    await until_answers_know(parts.feed, appended.last)
    return ChangedItems(accepted=len(events), position=appended.last)


@router.put("/items/{item_id:any}", responses=WITH_BODY)
async def put_item(edit: ItemEdit, request: ItemContent) -> ItemChange:
    """Make an item, known or new, what it is said to be: what is not sent has no value."""
    return await _change(edit, lambda _: request.content)


@router.patch("/items/{item_id:any}", responses=WITH_BODY)
async def patch_item(edit: ItemEdit, request: ItemPatch) -> ItemChange:
    """Change some of an item (RFC 7396): null takes a value away, what is not sent stays."""
    return await _change(edit, lambda former: _known(former, edit.item_id) | request.content)


@router.delete("/items/{item_id:any}", responses=WITHOUT_BODY)
async def withdraw_item(edit: ItemEdit) -> ItemChange:
    """Withdraw an item: it is in no list, and stays in histories. `{"withdrawn": false}` brings it back."""
    return await _change(edit, lambda former: _known(former, edit.item_id) | {"withdrawn": True})


async def _change(edit: _ItemEdit, make: Callable[[Content | None], Content]) -> ItemChange:
    def change() -> Event:
        former, after = content_of(edit.parts.store.require(), edit.item_id)
        check_match(former, edit.if_match, ItemChangedError, f"film {edit.item_id[:80]!r}")
        return _event(edit.model, edit.editor, edit.item_id, make(former), after=after)

    event, position = await edit.store(change)
    content: Content = json.loads(event.body or "")
    edit.response.headers["ETag"] = etag(content)
    return ItemChange(position=position, id=edit.item_id, item=content)


def _event(
    model: ServedModel, editor: str, item_id: str, content: Content, *, after: int | None = None, place: str = ""
) -> Event:
    if model.artifact.item_ids.dtype.kind == "i" and as_number(item_id) is None:
        message = f"The film's id is {item_id[:80]!r}; the catalogue's ids are whole numbers, such as 601."
        raise InvalidParameterError(message, field=f"{place}id" if place else "item_id")
    try:
        content = checked(content, model.catalogue.columns)
    except DocumentError as error:
        raise InvalidParameterError(f"{place}{error}.", field=f"{place}{error.field}") from error
    body = to_json(content).decode()
    return Event(new_event_id(), editor, item_id, CHANGE, None, time.time(), body=body, after=after)


def _known(former: Content | None, item_id: str) -> Content:
    if former is None:
        raise UnknownItemError(f"The catalogue has no film {item_id[:80]!r}; PUT makes one.", field="item_id")
    return former
