"""Chooses the items of a list among ranked candidates so that pins have their ranks and quotas hold.

Exact where quotas are nested or apart, else greedy; docs/placements.md has the rules, and how far from the best list
they can be.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Bounds(NamedTuple):
    """A quota over candidates: which places count, in order, how many must and may be chosen; `size` orders quotas."""

    places: Sequence[int]
    at_least: int
    at_most: int
    size: int  # how many items of the catalogue count


class Arrangement(NamedTuple):
    """Places of candidates in the order of the list, and the quotas, by number, that have lifted some into it."""

    places: list[int]
    lifted: dict[int, int]


def arranged(n: int, k: int, pins: Mapping[int, int], quotas: Sequence[Bounds]) -> Arrangement:
    """Arrange n candidates, best first, of which the list's first k hold pins, ranks by place, and meet quotas.

    A pin overrides a quota. What a quota asks for at least it gets as far as there are such candidates; at most is
    never passed: rather the list ends. Else the other candidates follow the first k.
    """
    choice = _Choice(k, pins, quotas)
    for number in sorted(range(len(quotas)), key=lambda each: quotas[each].size):
        choice.fill(number)
    choice.fill_the_rest(n)
    rest = [place for place in range(n) if place not in choice.chosen] if len(choice.chosen) == k else []
    lifted = {place: number for place, number in choice.lifted.items() if place >= k}
    return Arrangement(_in_order(choice.chosen, pins) + rest, lifted)


class _Choice:
    """The places that are chosen so far, and what the quotas leave room for, and lack."""

    def __init__(self, k: int, pins: Mapping[int, int], quotas: Sequence[Bounds]) -> None:
        self._k, self._quotas = k, quotas
        self._room, self._lack = [each.at_most for each in quotas], [each.at_least for each in quotas]
        self._quotas_of: dict[int, list[int]] = {}
        for number, quota in enumerate(quotas):
            for place in quota.places:
                self._quotas_of.setdefault(place, []).append(number)
        self.chosen: set[int] = set()
        self.lifted: dict[int, int] = {}
        for place in pins:
            self._take(place)

    def fill(self, number: int) -> None:
        """Choose what a quota asks for at least: the best, but where places get short those that help others, too."""
        while self._lack[number] > 0 and len(self.chosen) < self._k:
            needed = -(-sum(max(lack, 0) for lack in self._lack) // (self._k - len(self.chosen)))
            fitting = [place for place in self._quotas[number].places if self._fits(place)]
            if not fitting:
                return
            place = max(fitting, key=lambda each: (min(self._helps(each), needed), -each))
            self.lifted[place] = number
            self._take(place)

    def fill_the_rest(self, n: int) -> None:
        """Choose the best that fit until the list is full."""
        for place in range(n):
            if len(self.chosen) >= self._k:
                return
            if self._fits(place):
                self._take(place)

    def _fits(self, place: int) -> bool:
        return place not in self.chosen and all(self._room[each] > 0 for each in self._quotas_of.get(place, ()))

    def _helps(self, place: int) -> int:
        return sum(self._lack[each] > 0 for each in self._quotas_of[place])

    def _take(self, place: int) -> None:
        self.chosen.add(place)
        for each in self._quotas_of.get(place, ()):
            self._room[each] -= 1
            self._lack[each] -= 1


def _in_order(chosen: set[int], pins: Mapping[int, int]) -> list[int]:
    """The chosen places, best first, except pins, which have their ranks, or come last in a shorter list."""
    places = sorted(chosen - pins.keys())
    for place, rank in sorted(pins.items(), key=lambda pin: pin[1]):
        places.insert(rank - 1, place)
    return places
