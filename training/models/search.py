"""The values of a parameter that `tune` may try, noted beside its type in a family."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from training.models.base import Family
from training.params.section import Section


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`, whole if both are; with `log`, every order of magnitude is equally likely."""

    low: float
    high: float
    log: bool = False

    def widened(self, value: float) -> "Between":
        """Return the range, widened to include `value`."""
        return replace(self, low=min(self.low, value), high=max(self.high, value), log=self.log and value > 0)


@dataclass(frozen=True)
class OneOf:
    """A choice among values."""

    values: tuple[Any, ...]

    def widened(self, value: Any) -> "OneOf":  # noqa: ANN401
        """Return the range, widened to include `value`."""
        return self if value in self.values else OneOf((*self.values, value))


Range: TypeAlias = Between | OneOf


def search_space(family: Family, today: Mapping[str, Any]) -> dict[str, Range]:
    """Collect the ranges of a family's parameters, each widened to include today's value."""
    space = {}
    fields = type(family).model_fields if isinstance(family, Section) else {}
    for name, field in fields.items():
        for values in (entry for entry in field.metadata if isinstance(entry, Between | OneOf)):
            if today.get(name, values) is not None:  # None follows from the data
                space[name] = values.widened(today[name]) if name in today else values
    return space
