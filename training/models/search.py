"""Which values of a parameter are worth trying: stands beside its type in a family, and `tune` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from training.models.base import Family
from training.params.section import Section


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`, whole ones if these are; `log` for those that count by their magnitude."""

    low: float
    high: float
    log: bool = False

    def widened(self, value: float) -> "Between":
        """The same with `value` in it."""
        return replace(self, low=min(self.low, value), high=max(self.high, value), log=self.log and value > 0)


@dataclass(frozen=True)
class OneOf:
    """Some values and none between them."""

    values: tuple[Any, ...]

    def widened(self, value: Any) -> "OneOf":  # noqa: ANN401
        """The same with `value` in it."""
        return self if value in self.values else OneOf((*self.values, value))


Range: TypeAlias = Between | OneOf


def search_space(family: Family, today: Mapping[str, Any]) -> dict[str, Range]:
    """The ranges of a family's parameters, with today's values in them."""
    space = {}
    fields = type(family).model_fields if isinstance(family, Section) else {}
    for name, field in fields.items():
        for found in (entry for entry in field.metadata if isinstance(entry, Between | OneOf)):
            space[name] = found.widened(today[name]) if name in today else found
    return space
