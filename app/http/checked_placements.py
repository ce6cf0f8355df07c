"""Whether a version can follow a placement, and which of its rules do nothing."""

import time

from app.contract.filter_language import Expression, FilterError
from app.contract.item_document import DocumentError
from app.contract.item_filter import ItemFilter
from app.contract.placement import Placement
from app.contract.rules import Rules
from app.errors import InvalidParameterError
from app.model.placement_warnings import placement_warnings
from app.model.store import ServedModel
from app.schemas.placement_content import PlacementContent
from app.schemas.placements import PlacementWarning


def checked(model: ServedModel, request: PlacementContent) -> Placement:
    """The placement that a request says; raises InvalidParameterError where a version can't follow it."""
    try:
        placement = Placement.of(request.content)
        items = model.catalogue.filter
        parts = [("filter", placement.filter)] if placement.filter else []
        parts += [(f"boosts.{number}.filter", each.expression) for number, each in enumerate(placement.boosts)]
        parts += [(f"quotas.{number}.filter", each.expression) for number, each in enumerate(placement.quotas)]
        for field, expression in parts:
            _check_columns(items, field, expression)
        rules_of(model, placement).check()
    except DocumentError as error:
        raise InvalidParameterError(f"{error}.", field=error.field) from error
    return placement


def _check_columns(items: ItemFilter, field: str, expression: Expression) -> None:
    try:
        items.mask(expression)
    except FilterError as error:
        raise DocumentError(field, f"is no filter: {error}") from error


def rules_of(model: ServedModel, placement: Placement) -> Rules:
    """The rules of a placement now, for a version."""
    return Rules(placement, model.catalogue.filter, model.recommender.item_row, time.time())


def warnings_of(model: ServedModel, placement: Placement) -> list[PlacementWarning]:
    """The rules that do nothing with the current films."""
    try:
        found = placement_warnings(model.recommender, rules_of(model, placement))
    except FilterError as error:  # of another version
        return [PlacementWarning(field="filter", message=f"The loaded version can't answer it: {error}.")]
    return [PlacementWarning(**each._asdict()) for each in found]
