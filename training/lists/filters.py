"""Which films lists may hold: those that pass the service's filters, and that editors have not withdrawn."""

import time
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np

from app.contract.artifact import Artifact
from app.contract.conditions import GENRES, Conditions
from app.contract.filter_language import FilterError
from app.contract.ids import row_of
from app.contract.item_filter import ItemFilter
from app.contract.item_matrix import Mask, Rows
from training.data.changes import stored_changes
from training.errors import ParamsError
from training.params.section import Section, validated

GENRES_SHOWN = 20


class ListFilters(Section, strict=False):
    """The filters of the service's lists; a film must pass all of them."""

    filter: str | None = None
    genre: tuple[str, ...] = ()
    exclude_genre: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None


def parse_filters(text: str) -> ListFilters:
    """Parse `genre=Drama&year_from=1990`, as in an address of the service; raise ParamsError where it is wrong."""
    try:
        given = parse_qs(text, strict_parsing=True, keep_blank_values=True) if text else {}
    except ValueError as error:
        raise ParamsError(f"--filters {text!r}: {error}; write them as genre=Drama&year_from=1990") from error
    single = ("filter", "year_from", "year_to")
    content = {name: values[-1] if name in single else values for name, values in given.items()}
    return validated(ListFilters, content, f"--filters {text!r}")


def allowed_items(artifact: Artifact, filters: ListFilters) -> Mask | None:
    """The items that pass all filters, bool (n_items,); None without filters. Unknown ids in `exclude` don't matter.

    Raises ParamsError where no film passes, or the columns can't answer a filter.
    """
    if filters == ListFilters():
        return None
    items = ItemFilter(artifact.catalogue.columns, len(artifact.item_ids))
    wanted = Conditions(filters.filter, filters.genre, filters.exclude_genre, filters.year_from, filters.year_to)
    try:
        mask = wanted.mask(items)
    except FilterError as error:
        raise ParamsError(f"--filters: {error}") from error
    rows = (row_of(artifact.item_ids, item_id) for item_id in filters.exclude)
    mask[[row for row in rows if row is not None]] = False
    if not mask.any():
        genres = ", ".join(name for name, _ in items.tags(GENRES)[:GENRES_SHOWN])
        raise ParamsError(f"--filters: none of the {len(mask):,} films passes; their genres are {genres}")
    return mask


def withdrawn_rows(artifact: Artifact, home: Path) -> Rows:
    """The rows of items that are withdrawn, or not available now, by the store at EVENTS_URL; sorted.

    Raises DataError where the store can't be read.
    """
    now, changes = time.time(), stored_changes(home)
    rows = (row_of(artifact.item_ids, item_id) for item_id, each in changes.items() if not each.is_available(now))
    return np.array(sorted(row for row in rows if row is not None), dtype=np.int64)


def without(allowed: Mask | None, rows: Rows, n_items: int) -> Mask | None:
    """The mask of allowed items, bool (n_items,), without some rows; None allows all."""
    if not len(rows):
        return allowed
    mask = np.ones(n_items, dtype=bool) if allowed is None else allowed
    mask[rows] = False
    return mask
