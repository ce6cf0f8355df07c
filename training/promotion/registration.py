"""What became of the artifact of a run."""

from dataclasses import dataclass

from app.contract.artifact import Recipe
from training.promotion.gate import Verdict


@dataclass(frozen=True)
class Registration:
    """What became of the artifact.

    `version` is None in an experiment, `verdict` where an earlier run had decided.
    """

    name: str
    version: str | None
    recipe: Recipe
    metric: str
    decision: str
    verdict: Verdict | None
