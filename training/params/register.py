"""The section `register`."""

from typing import Annotated, Literal

from pydantic import Field

from training.params.section import Section, Share


class GateParams(Section):
    """What a new version must show to be promoted."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    min_gain: float
    max_drop: Share


class RegisterParams(Section):
    """Where and how a trained model is registered."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^/:.%\"']+$")]
    experiment: Annotated[str, Field(min_length=1)]
    promote: Literal["gate", "never", "always"]
    gate: GateParams
