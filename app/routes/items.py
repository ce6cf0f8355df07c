"""Finds, lists and describes items."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.contract.columns import Column
from app.contract.conditions import GENRES
from app.contract.item_document import FROM, UNTIL, WITHDRAWN
from app.errors import InvalidParameterError, NoModelError, UnknownItemError, UnknownPlacementError
from app.http.dependencies import CurrentModel, CurrentParts
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.item_content import content_of, etag
from app.http.item_lists import list_json
from app.http.lanes import Lanes
from app.http.list_ids import id_field, list_response
from app.http.placed_queries import placed_query, placement_field
from app.http.read_after import ReadAfter
from app.model.selection import Selection, allowed_items, by_counts, popular, similar
from app.model.store import ServedModel
from app.schemas.items import (
    AttributeDetails,
    ColumnDetails,
    ColumnList,
    FoundItem,
    FoundItems,
    GenreList,
    ItemDetails,
    TagCount,
)
from app.schemas.lists import PopularItems, SimilarItems
from app.schemas.queries import ListQuery, PathText, SearchQuery, SimilarQuery, TrendingQuery

ItemPath = Annotated[PathText, Path(description="Any text; a slash as %2F.", examples=["1"])]
LIST_ERRORS = ADDRESS_TOO_LONG | error_responses(InvalidParameterError, NoModelError)
ITEM_ERRORS = ADDRESS_TOO_LONG | error_responses(InvalidParameterError, NoModelError, UnknownItemError)
SIMILAR_ERRORS = ADDRESS_TOO_LONG | error_responses(
    InvalidParameterError, NoModelError, UnknownItemError, UnknownPlacementError
)

TAGS_LISTED = 100

router = APIRouter(tags=["items"])


# A plain function, which FastAPI runs in a thread: a search may take milliseconds.
@router.get("/items", responses=LIST_ERRORS)
def search_items(model: CurrentModel, query: Annotated[SearchQuery, Query()]) -> FoundItems:
    """The films whose title matches: exactly, then by its beginning, its words, any part; popular ones first."""
    rows = model.catalogue.search(query.query, allowed_items(model, query))
    shown = rows[query.offset : query.offset + query.k].tolist()
    items = [FoundItem(interactions=_interactions(model, row), **model.catalogue.item(row)) for row in shown]
    return FoundItems(model_version=model.version, total=len(rows), items=items)


@router.get("/genres", responses=error_responses(NoModelError))
async def list_genres(model: CurrentModel) -> GenreList:
    """All genres in the catalogue: the values that `genre` and `exclude_genre` know."""
    genres = [TagCount(name=name, films=films) for name, films in model.catalogue.filter.tags(GENRES)]
    return GenreList(model_version=model.version, genres=genres)


@router.get("/columns", responses=error_responses(NoModelError))
async def list_columns(model: CurrentModel) -> ColumnList:
    """The columns of the catalogue: what `filter` may name, and what is shown of a film; and attributes of people."""
    columns = [_column(model, column) for column in model.catalogue.columns if column.filter or column.shown]
    attributes = [_attribute(model, column) for column in model.artifact.user_columns]
    return ColumnList(model_version=model.version, columns=columns, attributes=attributes)


@router.get("/items/popular", responses=LIST_ERRORS, response_model=PopularItems)
async def list_popular_items(
    model: CurrentModel, parts: CurrentParts, query: Annotated[ListQuery, Query()]
) -> Response:
    """The films that most people like; `score` is the number of likes, of which older ones count less."""
    selection = popular(model, query, allowed_items(model, query))
    return _answer(parts.lanes, model, {"model_version": model.version}, selection)


@router.get("/items/trending", responses=LIST_ERRORS, response_model=PopularItems, dependencies=[ReadAfter])
async def list_trending_items(
    model: CurrentModel, parts: CurrentParts, query: Annotated[TrendingQuery, Query()]
) -> Response:
    """The films that most people have liked lately; `score` is the number of likes, each halved as it ages."""
    counts = parts.trending.counts(model, query.half_life)
    selection = by_counts(model, counts, query, allowed_items(model, query))
    return _answer(parts.lanes, model, {"model_version": model.version}, selection)


@router.get("/items/{item_id:any}/similar", responses=SIMILAR_ERRORS, response_model=SimilarItems)
async def list_similar_items(
    model: CurrentModel, parts: CurrentParts, item_id: ItemPath, query: Annotated[SimilarQuery, Query()]
) -> Response:
    """The films most similar to this one; `score` is the cosine of their embeddings."""
    row = _row(model, item_id)
    query, rules = placed_query(parts.placements, model, query)
    selection = similar(model, row, query, allowed_items(model, query), rules)
    named = {"item_id": model.artifact.item_ids[row].item(), "model_version": model.version}
    fields = {**named, **placement_field(query)}
    return _answer(parts.lanes, model, fields, selection)


# The last one, because it matches the paths above, too.
@router.get("/items/{item_id:any}", responses=ITEM_ERRORS, response_model_exclude_unset=True)
async def describe_item(model: CurrentModel, item_id: ItemPath, response: Response) -> ItemDetails:
    """What the catalogue and the model know about a film."""
    row = _row(model, item_id)
    film, (content, _) = model.catalogue.item(row), content_of(model, item_id)
    response.headers["ETag"] = etag(content or {})
    is_available = row not in model.recommender.withdrawn
    when = {key: content[key] for key in (FROM, UNTIL, WITHDRAWN) if content and key in content}
    return ItemDetails(
        model_version=model.version, interactions=_interactions(model, row), available=is_available, **film | when
    )


def _column(model: ServedModel, column: Column) -> ColumnDetails:
    tags = model.catalogue.filter.tags(column.name)
    most = sorted(tags, key=lambda tag: -tag[1])[:TAGS_LISTED]
    counts = [TagCount(name=name, films=films) for name, films in most]
    return ColumnDetails.model_validate(column.described | {"tags": counts})


def _attribute(model: ServedModel, column: Column) -> AttributeDetails:
    values = [
        each["value"] for each in model.artifact.user_features if each["column"] == column.name and "value" in each
    ]
    tags = [value for value in values if isinstance(value, str)]
    return AttributeDetails.model_validate({"name": column.name, "type": column.type, "values": tags})


def _answer(lanes: Lanes, model: ServedModel, fields: Mapping[str, object], selection: Selection) -> Response:
    recommendation_id = lanes.outside(model).id_for("")
    return list_response(list_json({**fields, **id_field(recommendation_id)}, model, selection), recommendation_id)


def _row(model: ServedModel, item_id: str) -> int:
    row = model.recommender.item_row(item_id)
    if row is None:
        raise UnknownItemError(f"The model does not know the film {item_id[:80]!r}.", field="item_id")
    return row


def _interactions(model: ServedModel, row: int) -> int:
    return int(model.artifact.item_popularity[row])
