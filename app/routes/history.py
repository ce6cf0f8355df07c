"""Lists what a user has seen."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

import app.http.path_ids  # noqa: F401 - the convertor `any`
from app.errors import InvalidParameterError, NoModelError, UnknownUserError
from app.http.dependencies import CurrentModel
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.schemas.items import History, Item
from app.schemas.queries import PageQuery, PathText

router = APIRouter(tags=["users"])


@router.get(
    "/users/{user_id:any}/history",
    responses=ADDRESS_TOO_LONG | error_responses(InvalidParameterError, NoModelError, UnknownUserError),
)
async def list_history(
    model: CurrentModel,
    user_id: Annotated[PathText, Path(description="Any text; a slash as %2F.", examples=["42"])],
    query: Annotated[PageQuery, Query()],
) -> History:
    """The films that the model knows the user has seen, and so does not recommend again."""
    row = model.recommender.user_row(user_id)
    if row is None:
        raise UnknownUserError(f"The model does not know the user {user_id[:80]!r}.", field="user_id")
    seen = model.recommender.seen(row)
    shown = seen[query.offset : query.offset + query.k].tolist()
    items = [Item(**model.catalogue.film(item)) for item in shown]
    return History(user_id=user_id, model_version=model.version, total=len(seen), items=items)
