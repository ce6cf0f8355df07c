"""The placement by whose rules lists are made, as editors of the service have it now."""

import time
from pathlib import Path

from app.contract.filter_language import FilterError
from app.contract.item_filter import ItemFilter
from app.contract.placement import Placement
from app.contract.recommender import Recommender
from app.contract.rules import Rules
from training.data.events.snapshot import snapshot, store_address
from training.errors import DataError


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
        artifact = recommender.artifact
        items = ItemFilter(artifact.catalogue.columns, len(artifact.item_ids))
        return Rules(placement, items, recommender.item_row, time.time())
    except (ValueError, FilterError) as error:
        raise DataError(f"--placement {name!r}: {error}") from error


def _stored(home: Path) -> dict[str, str]:
    address = store_address(home)
    if address is None or address.missing_file:
        return {}
    with snapshot(address) as store:
        return store.placements()
