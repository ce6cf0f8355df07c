"""The outcome of the `register` stage, and its short table."""

from dataclasses import dataclass

from app.contract.artifact import Recipe
from training.promotion.gate import Ruling
from training.tracking.versions import REFUSED


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


def registration_table(registration: Registration) -> str:
    """Lay out what was registered, how it compares and what the gate decided."""
    version = f"version {registration.version}" if registration.version else "not registered"
    head = f"{registration.name} {version} ({registration.recipe.family}): {registration.decision}"
    ruling = registration.ruling
    if ruling is None:
        return f"{head}, decided before; nothing to do{_other_live(registration)}"
    lines = [head, f"  {registration.metric:<12}{'mean':>8}   difference to the candidate"]
    if "candidate" in ruling.figures:
        lines.append(f"  {'candidate':<12}{ruling.figures['candidate']:>8.4f}")
    lines += [f"  {opponent:<12}{mean:>8.4f}   {difference}" for opponent, mean, difference in ruling.opponents()]
    checks = [f"  {'ok' if check.passed else 'FAILED':<8}{check.name}: {check.sentence}" for check in ruling.checks]
    if registration.decision == REFUSED:
        checks.append(f"  promote it all the same: python -m training promote {registration.version}")
    return "\n".join([*lines, f"  {ruling.reason}", *checks])


def _other_live(registration: Registration) -> str:
    """Name the live version if it is another one: an alias stays where it is."""
    if registration.live in (None, registration.version):
        return ""
    command = f"python -m training promote {registration.version}"
    return f". Version {registration.live} is live; to go back: {command}"
