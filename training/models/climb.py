"""Numbers that follow from the data, and how validation corrects them."""

from abc import abstractmethod
from collections.abc import Callable
from itertools import product
from typing import Any, ClassVar, Protocol, TypeVar, runtime_checkable

from training.models.base import Family, TrainingData
from training.progress import say

MOST_STEPS = 3  # of each move in each direction, for each factor
COLLAPSED = 0.5  # of the best worth: a step further on is a cliff, which may lie nearer for a whole model


class Adjustable(Protocol):
    """A family that can be had with other parameters, as every `Section` can."""

    def model_copy(self, *, update: dict[str, Any]) -> Any:  # noqa: ANN401
        """Return the family with other parameters."""


@runtime_checkable
class FollowsData(Family, Adjustable, Protocol):
    """A family some of whose parameters may be None, for numbers that follow from the data."""

    moves: ClassVar[tuple[tuple[str, ...], ...]]
    """The numbers that validation corrects; those of one tuple change together."""

    factors: ClassVar[tuple[float, ...]]
    """By how much, one after the other."""

    @property
    def validate_rule(self) -> bool:
        """Whether validation corrects the numbers."""

    @abstractmethod
    def resolved(self, data: TrainingData) -> "FollowsData":
        """Return the family with numbers for what is None; where nothing is, `validate_rule` is False."""

    @abstractmethod
    def draft(self) -> Family:
        """Return a family that is quicker to fit and shows the worth of the numbers."""


AnyFamily = TypeVar("AnyFamily", bound=FollowsData)


def climb(family: AnyFamily, worth: Callable[[AnyFamily], float]) -> AnyFamily:
    """Multiply or divide the numbers by each factor, move by move, as long as the worth rises.

    Where the step after the best collapses, the step before the best is taken: drafts see a cliff later than models do.
    """
    best, known = family, {_numbers(family): worth(family)}
    for step, names in product(family.factors, family.moves):
        for factor in (step, 1 / step):
            before = former = best
            for _ in range(MOST_STEPS):
                option = _scaled(best, names, factor)
                numbers, highest = _numbers(option), known[_numbers(best)]
                if numbers not in known:
                    known[numbers] = worth(option)
                    say(f"validation: {numbers}: {known[numbers]:.4f}, the best so far {highest:.4f}")
                if known[numbers] < COLLAPSED * highest:
                    best = former
                if known[numbers] <= highest:
                    break
                former, best = best, option
            if best is not before:
                break  # the way back has been seen
    decided: AnyFamily = best.model_copy(update={"validate_rule": False})
    return decided


def _scaled(family: AnyFamily, names: tuple[str, ...], factor: float) -> AnyFamily:
    changes = {name: float(f"{getattr(family, name) * factor:.3g}") for name in names}
    changed: AnyFamily = family.model_copy(update=changes)
    return changed


def _numbers(family: FollowsData) -> str:
    names = dict.fromkeys(name for names in family.moves for name in names)
    return ", ".join(f"{name} {getattr(family, name):g}" for name in names)
