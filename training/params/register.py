"""The section `register`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from training.params.section import AtLeastOne, Section, Share, no_repeats


class GateParams(Section):
    """The conditions under which a new version is promoted."""

    confidence: Annotated[float, Field(ge=0.5, lt=1)]
    min_gain: float
    max_drop: Share


class ChecksParams(Section):
    """How far a new version's data and lists may differ from the live version's."""

    least_size: Share
    max_age_hours: Annotated[float, Field(gt=0)] | None
    max_volume_factor: Annotated[float, Field(gt=1)]
    max_user_share: Annotated[float, Field(gt=0, le=1)]
    max_item_share: Annotated[float, Field(gt=0, le=1)]
    flood_from: AtLeastOne
    max_share_change: Annotated[float, Field(gt=0, le=1)]
    least_overlap: Share
    least_coverage: Share


class TrialParams(Section):
    """How a trial splits users, what counts as a success, and when it is decided."""

    share: Annotated[float, Field(gt=0, lt=1)]
    days: AtLeastOne
    success: Annotated[tuple[str, ...], Field(min_length=1, strict=False), AfterValidator(no_repeats)]
    max_loss: Annotated[float, Field(gt=0, lt=1)]


class RegisterParams(Section):
    """The registered model, the experiment, and the promotion of new versions."""

    name: Annotated[str, Field(min_length=1, pattern=r"^[^/:.%\"']+$")]
    experiment: Annotated[str, Field(min_length=1)]
    promote: Literal["gate", "never", "always", "trial"]
    gate: GateParams
    checks: ChecksParams
    trial: TrialParams
