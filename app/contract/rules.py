"""A placement's rules for the items of one version, and the list that they make."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np

from app.contract.arrangement import Bounds, arranged
from app.contract.artifact_format import Float32Array, Float64Array
from app.contract.filter_language import FilterError
from app.contract.item_document import DocumentError
from app.contract.item_filter import ItemFilter
from app.contract.item_matrix import ItemMatrix, Mask, Rows
from app.contract.placed import NOTHING_NEW, Chance, Placed
from app.contract.placement import MAX_FALLBACK, Placement
from app.contract.placement_rules import Boost, Pin, Quota
from app.contract.ranking import NO_ROWS, Ranking
from app.contract.scored import Kinds, Scored
from app.contract.similarity import DIVERSITY_CANDIDATES, Similarity

Rule = TypeVar("Rule", Boost, Quota)

logger = logging.getLogger(__name__)


class _ByPlace(NamedTuple):
    """What the rules say of the places of a matrix."""

    matrix: ItemMatrix
    boost: Float32Array  # (m,)
    penalties: Float32Array | None  # (m,), of the filter; None where it leaves out none of them
    kinds: Kinds | None  # of what the same quotas count; None without a quota


class Rules:
    """The filter, boosts, pins and quotas of a placement, as masks and rows of a version's items, at one time.

    A boost or a quota that the version's columns can't answer is left out, with a warning; for the filter that is a
    FilterError.
    """

    def __init__(
        self, placement: Placement, items: ItemFilter, item_row: Callable[[str], int | None], now: float
    ) -> None:
        """`now` is in seconds since 1970: it says which pins count."""
        self.placement = placement
        self.allowed = None if placement.filter is None else items.mask(placement.filter)
        self.boosts = _answered(placement.boosts, items)
        self.quotas = _answered(placement.quotas, items)
        self.fallback: Rows = _rows(placement.fallback, item_row)
        active = [pin for pin in placement.pins if pin.is_due(now)]
        self.pins: dict[int, Pin] = {row: pin for pin in active if (row := item_row(pin.item_id)) is not None}
        self.unknown_pins = [pin for pin in active if item_row(pin.item_id) is None]
        turns = [turn for pin in placement.pins for turn in (pin.starts, pin.ends) if turn > now]
        self.until = min(turns, default=float("inf"))
        self._pinned: Rows = np.array(sorted(self.pins), dtype=np.int64)
        self._boost: Float64Array = np.zeros(len(items.all()))
        for boost, mask in self.boosts:
            self._boost[mask] += boost.by
        self._most = float(np.abs(self._boost).max(initial=0))
        self._last: _ByPlace | None = None
        self._sizes = [int(np.count_nonzero(mask)) for _, mask in self.quotas]

    def rank(
        self,
        scored: Scored,
        spread: Callable[[], float],
        depth: int,
        similarity: Similarity,
        *,
        diversity: float = 0,
        is_unknown: bool = False,
        trending: Callable[[], Float64Array] | None = None,
        new: Mapping[int, float] = NOTHING_NEW,
    ) -> Placed:
        """The first `depth` items by these rules, of those that the scores don't leave out and the filter lets pass.

        `spread` gives the standard deviation of the scores; `is_unknown` says that nothing is known of the person, who
        may get what trends: the items that have the most of `trending`, float64 (n_items,). `new` are weights by row.
        """
        by_place = self._by_place(scored.matrix)
        if self._most:
            scored = scored.plus(self._boost, by_place.boost, self._most, spread())
        if by_place.penalties is not None:
            scored = scored.less(by_place.penalties)
        first = self._first(scored, trending) if is_unknown else NO_ROWS
        n_best = max(depth, DIVERSITY_CANDIDATES if diversity else self.placement.k)
        # The list holds none but those that are named, the best of each kind, and the best where more are shown.
        parts = [scored.places_of(np.concatenate([self._pinned, first]))]
        if by_place.kinds is not None:
            parts += scored.best_of_kinds(by_place.kinds)
        if by_place.kinds is None or n_best > self.placement.k:
            parts.append(scored.best_places(n_best))
        rows, scores = scored.ranked(np.unique(np.concatenate(parts)))
        if diversity:
            head = Ranking(rows[None, :DIVERSITY_CANDIDATES], scores[None, :DIVERSITY_CANDIDATES])
            chosen = similarity.diversify(head, DIVERSITY_CANDIDATES, diversity)
            rows = np.concatenate([chosen.items[0], rows[DIVERSITY_CANDIDATES:]])
            scores = np.concatenate([chosen.scores[0], scores[DIVERSITY_CANDIDATES:]])
        if len(first):
            rows, scores = _with_first(rows, scores, first)
        placed = self._arranged(rows, scores, depth)
        return replace(placed, new=_chances(scored, new)) if new else placed

    def _first(self, scored: Scored, trending: Callable[[], Float64Array] | None) -> Rows:
        """What comes first for somebody of whom nothing is known."""
        if not self.placement.is_trending or trending is None:
            return self.fallback
        rows = scored.matrix.items(np.flatnonzero(scored.scores > -np.inf))
        counts = trending()[rows]
        most = np.argsort(-counts, kind="stable")[:MAX_FALLBACK]
        return rows[most[counts[most] > 0]]

    def _by_place(self, matrix: ItemMatrix) -> _ByPlace:
        by_place = self._last
        if by_place is None or by_place.matrix is not matrix:
            rows = np.arange(len(self._boost)) if matrix.rows is None else matrix.rows
            has_others = self.allowed is not None and not self.allowed[rows].all()
            penalties = matrix.penalties(self.allowed) if self.allowed is not None and has_others else None
            by_place = self._last = _ByPlace(matrix, self._boost[rows].astype(np.float32), penalties, self._kinds(rows))
        return by_place

    def _kinds(self, rows: Rows) -> Kinds | None:
        """Which rows the same quotas count; of a kind the first k hold no more than its quotas let them."""
        if not self.quotas:
            return None
        bits = sum((mask[rows].astype(np.int64) << number for number, (_, mask) in enumerate(self.quotas)), start=0)
        counted, of = np.unique(bits, return_inverse=True)
        k, most = self.placement.k, [quota.at_most for quota, _ in self.quotas]
        needed = [
            min([k, *(each for number, each in enumerate(most) if kind >> number & 1)]) for kind in counted.tolist()
        ]
        return Kinds(of, [np.flatnonzero(of == number) for number in range(len(needed))], needed)

    def _arranged(self, rows: Rows, scores: Float64Array, depth: int) -> Placed:
        if not self.pins and not self.quotas:
            return Placed(Ranking(rows[None, :depth], scores[None, :depth]), {})
        pins = {place: self.pins[row] for place, row in enumerate(rows.tolist()) if row in self.pins}
        bounds = [
            Bounds(np.flatnonzero(mask[rows]).tolist(), quota.at_least, quota.at_most, size)
            for (quota, mask), size in zip(self.quotas, self._sizes, strict=True)
        ]
        found = arranged(len(rows), self.placement.k, {place: pin.rank for place, pin in pins.items()}, bounds)
        moved = {place: str(self.quotas[number][0]) for place, number in found.lifted.items()}
        moved |= {place: str(pin) for place, pin in pins.items()}
        order = found.places[:depth]
        moved = {int(rows[place]): rule for place, rule in moved.items()}
        return Placed(Ranking(rows[order][None], scores[order][None]), moved)

    def reasons(self, placed: Placed, rows: Rows) -> list[list[str]]:
        """For each row the rules that moved it."""
        moved = placed.moved
        return [
            [*([moved[row]] if row in moved else []), *(str(boost) for boost, mask in self.boosts if mask[row])]
            for row in rows.tolist()
        ]

    def check(self) -> None:
        """Raise DocumentError for quotas that can't be met together, whatever people like."""
        k = self.placement.k
        for (first, (one, mask)), (second, (other, other_mask)) in combinations(enumerate(self.quotas), 2):
            both, sizes = int(np.count_nonzero(mask & other_mask)), (self._sizes[first], self._sizes[second])
            least = one.at_least, other.at_least
            needed = max(*least, sum(least) - both)
            outside = [size - both for size in sizes]  # of the one's, that are not the other's
            if needed > k or least[0] > other.at_most + outside[0] or least[1] > one.at_most + outside[1]:
                raise DocumentError(f"quotas.{second}", f"contradicts quotas.{first}: {one.name!r} and {other.name!r}")


def _answered(rules: Sequence[Rule], items: ItemFilter) -> list[tuple[Rule, Mask]]:
    return [(rule, mask) for rule in rules if (mask := _mask_or_none(rule, items)) is not None]


def _mask_or_none(rule: Boost | Quota, items: ItemFilter) -> Mask | None:
    try:
        return items.mask(rule.expression)
    except FilterError as error:
        logger.warning("A version leaves out %s of a placement: %s", rule, error)
        return None


def _chances(scored: Scored, new: Mapping[int, float]) -> list[Chance]:
    """The new items that are not left out."""
    rows, scores = scored.ranked(np.sort(scored.places_of(np.array([*new], dtype=np.int64))))
    return [Chance(row, score, new[row]) for row, score in zip(rows.tolist(), scores.tolist(), strict=True)]


def _rows(ids: Sequence[str], item_row: Callable[[str], int | None]) -> Rows:
    rows = dict.fromkeys(row for item_id in ids if (row := item_row(item_id)) is not None)
    return np.array([*rows], dtype=np.int64)


def _with_first(rows: Rows, scores: Float64Array, first: Rows) -> tuple[Rows, Float64Array]:
    """Put some rows first, in their order, where they are among the candidates."""
    place = {row: number for number, row in enumerate(first.tolist())}
    order = np.argsort([place.get(row, len(first)) for row in rows.tolist()], kind="stable")
    return rows[order], scores[order]
