"""The rules by which lists are made: of a placement as editors of the service have it now, or as a file says it."""

import time
from dataclasses import fields
from pathlib import Path

from app.contract.events import PLACEMENT
from app.contract.filter_language import FilterError
from app.contract.item_document import DocumentError
from app.contract.item_filter import ItemFilter
from app.contract.placement import Placement
from app.contract.placement_rules import Content
from app.contract.recommender import Recommender
from app.contract.rules import Rules
from training.data.events.snapshot import existing_store, snapshot
from training.errors import DataError

FIELDS = {field.name for field in fields(Placement)} - {"content", "is_trending"}


def stored_rules(recommender: Recommender, home: Path, name: str) -> Rules:
    """The rules of a placement in the store at EVENTS_URL, for the items of a version; pins count as of now.

    Raises DataError where the store can't be read, has no such placement, or the version can't answer its filter.
    """
    placements = _stored(home)
    text = placements.get(name)
    try:
        placement = None if text is None else Placement.read(text)
        if placement is None:
            names = ", ".join(sorted(each for each, body in placements.items() if Placement.read(body) is not None))
            raise DataError(f"--placement {name!r}: the store at EVENTS_URL has {names or 'no placement'}")
        return _rules(recommender, placement)
    except (ValueError, FilterError) as error:
        raise DataError(f"--placement {name!r}: {error}") from error


def written_rules(recommender: Recommender, content: Content) -> Rules:
    """The rules of a placement as a file says it, for the items of a version; pins count as of now.

    Raises ValueError for what the service would refuse: fields that it doesn't know, columns that the version lacks.
    """
    if unknown := content.keys() - FIELDS:
        raise DocumentError(
            min(map(str, unknown)), f"is no field of a placement; those are {', '.join(sorted(FIELDS))}"
        )
    try:
        placement = Placement.of(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"is no placement: {error}") from error
    rules = _rules(recommender, placement, strict=True)
    rules.check()
    return rules


def _rules(recommender: Recommender, placement: Placement, *, strict: bool = False) -> Rules:
    artifact = recommender.artifact
    items = ItemFilter(artifact.catalogue.columns, len(artifact.item_ids))
    if strict:
        placement.check_columns(items)
    return Rules(placement, items, recommender.item_row, time.time())


def _stored(home: Path) -> dict[str, str]:
    address = existing_store(home)
    if address is None:
        return {}
    with snapshot(address) as store:
        return {edit.name: edit.body for edit in store.edits(PLACEMENT)}
