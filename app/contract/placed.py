"""A list that the rules of a placement have made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from app.contract.ranking import Ranking

NOTHING_NEW: Mapping[int, float] = MappingProxyType({})


class Chance(NamedTuple):
    """An item, by row, that may get an explored rank: its score, and how likely it is, beside the others."""

    row: int
    score: float
    weight: float


@dataclass(frozen=True)
class Placed:
    """A ranking by rules: one row of items and scores, the rule that gave some rows their place, and new items."""

    ranking: Ranking
    moved: Mapping[int, str]
    new: Sequence[Chance] = ()
