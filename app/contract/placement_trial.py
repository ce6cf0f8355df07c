"""A trial of placements: some users get the lists of one by the rules of another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.contract.placement import Placement
from app.contract.trial import Arm, Split

EXPERIMENT = "placement:"  # how the names of experiments begin


@dataclass(frozen=True)
class PlacementTrial(Split):
    """The placement that lists are asked of, and the other, by whose rules the challenger's arm gets them."""

    placement: str
    against: str
    salt: str
    share: float
    since: float

    @property
    def sides(self) -> tuple[str, str]:
        """The placements."""
        return f"placement {self.placement}", f"placement {self.against}"

    def rules_of(self, arm: Arm) -> str:
        """The placement whose rules an arm gets."""
        return self.against if arm is Arm.CHALLENGER else self.placement


class Declared(NamedTuple):
    """A placement since its last change, whose id only the store knows: a time in seconds since 1970, and the id."""

    placement: Placement
    since: float
    change: str


def changed(
    declared: Mapping[str, Declared], name: str, placement: Placement | None, since: float, change: str
) -> dict[str, Declared]:
    """The placements after the change of one; None deletes it."""
    others = {each: other for each, other in declared.items() if each != name}
    return others if placement is None else {**others, name: Declared(placement, since, change)}


def trials(declared: Mapping[str, Declared]) -> dict[str, PlacementTrial]:
    """The trials that run, by the placement that lists are asked of; each begins anew when one of its two changes."""
    current = {name: each.placement for name, each in declared.items()}
    return {name: _trial(name, declared) for name, each in current.items() if each.trial and not problem(name, current)}


def _trial(name: str, declared: Mapping[str, Declared]) -> PlacementTrial:
    ours = declared[name]
    assert ours.placement.trial is not None  # noqa: S101 - else there is no trial
    against, share = ours.placement.trial
    theirs = declared[against]
    salt = f"{EXPERIMENT}{ours.change}:{theirs.change}"
    return PlacementTrial(name, against, salt, share, max(ours.since, theirs.since))


def problem(name: str, current: Mapping[str, Placement]) -> str:
    """Why the trial that a placement declares can't run; empty if it can, or there is none."""
    trial = current[name].trial
    return "" if trial is None else next(_problems(name, trial.against, current), "")


def _problems(name: str, against: str, current: Mapping[str, Placement]) -> Iterator[str]:
    if against == name:
        yield "is the placement itself"
    elif against not in current:
        yield f"is {against!r}, and there is no such placement"
    elif current[against].trial is not None:
        yield f"is {against!r}, which declares a trial of its own"
    elif current[against].overridable != current[name].overridable:
        yield f"is {against!r}, which lets requests override other fields: make overridable the same"
    for other, each in current.items():
        if other != name and each.trial is not None and each.trial.against == name:
            yield f"is {against!r}, and {name!r} is what {other!r} is compared with"
