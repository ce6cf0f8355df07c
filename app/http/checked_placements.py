"""Whether a version can follow a placement, and which of its rules do nothing."""

import time

from app.contract.filter_language import FilterError
from app.contract.item_document import DocumentError
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
        placement.check_columns(model.catalogue.filter)
        rules_of(model, placement).check()
    except DocumentError as error:
        raise InvalidParameterError(f"{error}.", field=error.field) from error
    return placement


def rules_of(model: ServedModel, placement: Placement) -> Rules:
    """The rules of a placement now, for a version."""
    return Rules(placement, model.catalogue.filter, model.recommender.item_row, time.time())


def warnings_of(model: ServedModel, placement: Placement) -> list[PlacementWarning]:
    """The rules that do nothing with the current films."""
    try:
        return placement_warnings(model.recommender, rules_of(model, placement))
    except FilterError as error:  # of another version
        return [PlacementWarning(field="filter", message=f"The loaded version can't answer it: {error}.")]
