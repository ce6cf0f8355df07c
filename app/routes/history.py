"""Lists what a user has seen."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.errors import InvalidParameterError, NoModelError, UnknownUserError
from app.http.dependencies import CurrentModel, CurrentParts
from app.http.error_answers import ADDRESS_TOO_LONG, error_responses
from app.http.path_ids import UserPath
from app.http.read_after import ReadAfter
from app.schemas.queries import PageQuery
from app.schemas.users import History, SeenItem

router = APIRouter(tags=["users"])


@router.get(
    "/users/{user_id:any}/history",
    responses=ADDRESS_TOO_LONG | error_responses(InvalidParameterError, NoModelError, UnknownUserError),
    dependencies=[ReadAfter],
)
async def list_history(
    model: CurrentModel, parts: CurrentParts, user_id: UserPath, query: Annotated[PageQuery, Query()]
) -> History:
    """The films that a user has seen, and so does not get recommended again: the latest first."""
    seen = parts.profiles.history(model, user_id)
    if seen is None:
        raise UnknownUserError(f"The model does not know the user {user_id[:80]!r}.", field="user_id")
    shown = seen[query.offset : query.offset + query.k]
    items = [SeenItem(liked=liked, **model.catalogue.item(row)) for row, liked in shown]
    return History(user_id=user_id, model_version=model.version, total=len(seen), items=items)
