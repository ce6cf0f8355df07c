"""The films."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

import app.http.path_ids  # noqa: F401 - the convertor `any`
from app.errors import InvalidParameterError, NoModelError, UnknownItemError
from app.http.dependencies import CurrentModel
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.film_lists import json_response, listing
from app.model.selection import allowed_items, popular, similar
from app.model.store import ServedModel
from app.schemas.items import FoundItem, FoundItems, GenreCount, GenreList, ItemDetails, PopularItems, SimilarItems
from app.schemas.queries import ListQuery, PathText, SearchQuery

ItemPath = Annotated[PathText, Path(description="Any text; a slash as %2F.", examples=["1"])]
LIST_ERRORS = ADDRESS_TOO_LONG | error_responses(InvalidParameterError, NoModelError)
ITEM_ERRORS = ADDRESS_TOO_LONG | error_responses(InvalidParameterError, NoModelError, UnknownItemError)

router = APIRouter(tags=["items"])


# Not a coroutine: a search may take milliseconds, and goes to a thread.
@router.get("/items", responses=LIST_ERRORS)
def search_items(model: CurrentModel, query: Annotated[SearchQuery, Query()]) -> FoundItems:
    """Films found by title: the very title, then its beginning, its words, any part; popular ones first."""
    rows = model.catalogue.search(query.query, allowed_items(model, query))
    shown = rows[query.offset : query.offset + query.k].tolist()
    items = [FoundItem(interactions=_interactions(model, row), **model.catalogue.film(row)) for row in shown]
    return FoundItems(model_version=model.version, total=len(rows), items=items)


@router.get("/genres", responses=error_responses(NoModelError))
async def list_genres(model: CurrentModel) -> GenreList:
    """Every genre that a film has: what `genre` and `exclude_genre` understand."""
    genres = [GenreCount(name=name, films=films) for name, films in model.catalogue.genres()]
    return GenreList(model_version=model.version, genres=genres)


@router.get("/items/popular", responses=LIST_ERRORS, response_model=PopularItems)
async def list_popular_items(model: CurrentModel, query: Annotated[ListQuery, Query()]) -> Response:
    """The films with most interactions; `score` is their number."""
    selection = popular(model, query, allowed_items(model, query))
    return json_response(listing({"model_version": model.version}, model, selection))


@router.get("/items/{item_id:any}/similar", responses=ITEM_ERRORS, response_model=SimilarItems)
async def list_similar_items(model: CurrentModel, item_id: ItemPath, query: Annotated[ListQuery, Query()]) -> Response:
    """The films most like this one; `score` is the cosine of their embeddings."""
    row = _row(model, item_id)
    selection = similar(model, row, query, allowed_items(model, query))
    fields = {"item_id": model.artifact.item_ids[row].item(), "model_version": model.version}
    return json_response(listing(fields, model, selection))


# After those whose paths it matches as well.
@router.get("/items/{item_id:any}", responses=ITEM_ERRORS)
async def describe_item(model: CurrentModel, item_id: ItemPath) -> ItemDetails:
    """What is known of a film."""
    row = _row(model, item_id)
    film = model.catalogue.film(row)
    return ItemDetails(model_version=model.version, interactions=_interactions(model, row), **film)


def _row(model: ServedModel, item_id: str) -> int:
    row = model.recommender.item_row(item_id)
    if row is None:
        raise UnknownItemError(f"The model knows no film {item_id[:80]!r}.", field="item_id")
    return row


def _interactions(model: ServedModel, row: int) -> int:
    return int(model.artifact.item_popularity[row])
