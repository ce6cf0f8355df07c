"""Reads the queries of `GET /users/{user_id}/recommendations` before the framework; most requests hold one of a few."""

from functools import lru_cache

from pydantic import ValidationError
from starlette.datastructures import QueryParams

from app.schemas.queries import DEFAULT_K, MAX_K, UserQuery

PLAIN_QUERIES = {b"": DEFAULT_K} | {b"k=%d" % k: k for k in range(1, MAX_K + 1)}
LONGEST = 512  # bytes; longer ones would fill the cache
LISTS = frozenset(name for name, field in UserQuery.model_fields.items() if isinstance(field.default, list))


def read_query(text: bytes) -> UserQuery | None:
    """What a query asks for; None if it is long, or if the route must say what is wrong with it."""
    return _read(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=256)
def _read(text: bytes) -> UserQuery | None:
    parameters = QueryParams(text)
    if not parameters.keys() <= UserQuery.model_fields.keys():
        return None
    values = {name: parameters.getlist(name) if name in LISTS else value for name, value in parameters.items()}
    try:
        return UserQuery.model_validate(values)
    except ValidationError:
        return None
