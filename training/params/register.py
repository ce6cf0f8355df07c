"""The section `register`."""

from typing import Annotated, Literal

from pydantic import Field

from training.params.section import Section, Share


class GateParams(Section):
    """The conditions under which a new version is promoted."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    min_gain: float
    max_drop: Share


class RegisterParams(Section):
    """The registered model, the experiment, and the promotion of new versions."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^/:.%\"']+$")]
    experiment: Annotated[str, Field(min_length=1)]
    promote: Literal["gate", "never", "always"]
    gate: GateParams
