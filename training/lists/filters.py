"""Which films lists may hold: the service's filters, written as in its addresses."""

from urllib.parse import parse_qs

from app.contract.artifact import Artifact
from app.contract.conditions import GENRES, Conditions
from app.contract.filter_language import FilterError
from app.contract.ids import row_of
from app.contract.item_filter import ItemFilter
from app.contract.item_matrix import Mask
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
