"""Refuses a query parameter that a route doesn't have, which would otherwise be ignored silently."""

from difflib import get_close_matches

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.errors import InvalidParameterError

# What other services call them.
ELSEWHERE = {
    "k": ("limit", "n", "top", "top_k", "count", "num", "size", "page_size", "per_page"),
    "offset": ("skip", "start", "from", "page"),
    "query": ("q", "title", "search", "text"),
}
OURS = {theirs: ours for ours, names in ELSEWHERE.items() for theirs in names}
MAX_QUOTED = 80


async def refuse_unknown_names(request: Request) -> None:
    """Raise InvalidParameterError for the first query parameter that the route does not have."""
    if request.scope["query_string"]:
        known = _names(request.scope["route"])
        for name in request.query_params:
            if name not in known:
                raise _unknown(name[:MAX_QUOTED].encode(errors="replace").decode(), known)


def _unknown(name: str, known: tuple[str, ...]) -> InvalidParameterError:
    if not known:
        return InvalidParameterError(f"{name!r} is not a parameter of this route: its address takes none.", field=name)
    ours = OURS.get(name.lower())
    near = [ours] if ours in known else get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return InvalidParameterError(
        f"{name!r} is not a parameter of this route: {hint}Its address takes {', '.join(known)}.", field=name
    )


def _names(route: APIRoute) -> tuple[str, ...]:
    """The query parameters of a route, those of its models included."""
    names: list[str] = []
    for parameter in route.dependant.query_params:
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += kind.model_fields
        else:
            names.append(parameter.alias)
    return tuple(names)
