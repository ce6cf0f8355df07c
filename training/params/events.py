"""The section `events`."""

from typing import Annotated, Any

from pydantic import AfterValidator

from app.contract.events import types_problem
from training.params.section import Section


def _checked(types: dict[str, Any]) -> dict[str, Any]:
    if problem := types_problem(types):
        raise ValueError(f"events.types: {problem}")
    return types


class EventsParams(Section):
    """What people say to the service, beside what everybody can say."""

    types: Annotated[dict[str, Any], AfterValidator(_checked)]
