"""The outcome of the `register` stage."""

from dataclasses import dataclass

from app.contract.artifact import Recipe
from training.promotion.gate import Ruling


@dataclass(frozen=True)
class Registration:
    """The outcome for the served artifact.

    `version` is None in an experiment, `ruling` where an earlier run decided. `live` is the version that was live
    when the stage began.
    """

    name: str
    version: str | None
    recipe: Recipe
    metric: str
    decision: str
    ruling: Ruling | None
    live: str | None = None
