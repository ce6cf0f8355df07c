"""Completes queries that name a placement."""

from typing import TypeVar

from app.contract.placement import OVERRIDABLE, Placement
from app.contract.rules import Rules
from app.errors import InvalidParameterError, UnknownPlacementError
from app.events.placements import Placements
from app.model.store import ServedModel
from app.schemas.queries import PlacedQuery

Query = TypeVar("Query", bound=PlacedQuery)


def placed_query(placements: Placements, model: ServedModel, query: Query) -> tuple[Query, Rules | None]:
    """The query with the placement's defaults, and its rules for a version; as it is where it names none.

    Raises UnknownPlacementError, and InvalidParameterError where the request overrides what it may not.
    """
    name = query.placement
    if name is None:
        return query, None
    placement = placements.current.get(name)
    if placement is None:
        raise UnknownPlacementError(name, field="placement")
    rules = model.placed_lists.rules(name, placement, model.catalogue.filter, model.recommender.item_row)
    return with_defaults(query, name, placement), rules


def with_defaults(query: Query, name: str, placement: Placement) -> Query:
    """The query with what a placement says where the query says nothing."""
    settable = query.__class__.model_fields.keys() & set(OVERRIDABLE)
    if fixed := sorted(settable & query.model_fields_set - placement.overridable):
        raise InvalidParameterError(f"{fixed[0]} is what the placement {name!r} says: leave it out.", field=fixed[0])
    defaults = {each: getattr(placement, each) for each in settable - query.model_fields_set}
    return query.model_copy(update=defaults)


def placement_field(query: PlacedQuery) -> dict[str, str]:
    """How an answer says the placement, if there is one."""
    return {} if query.placement is None else {"placement": query.placement}
