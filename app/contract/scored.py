"""The scores that a list is ranked by, and the best of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from app.contract.artifact_format import Float32Array, Float64Array
from app.contract.candidates import candidates
from app.contract.item_matrix import ItemMatrix, Rows

WIDE = 8  # times as many as are needed of one kind are looked at before a kind is searched by itself


class Kinds(NamedTuple):
    """The items of a matrix apart, by number of a kind.

    `of` are the kinds of all places, `places` those of each kind, and `needed` how many of its best are.
    """

    of: Rows
    places: list[Rows]
    needed: list[int]


@dataclass(frozen=True)
class Scored:
    """Scores of the items of a matrix, float32 (m,), -inf where an item is left out.

    `exact` gives the scores of item rows that decide the order, float64: no larger than `largest`, and no farther from
    those in float32 than `error`.
    """

    matrix: ItemMatrix
    scores: Float32Array
    exact: Callable[[Rows], Float64Array]
    error: float
    largest: float

    def less(self, penalties: Float32Array) -> "Scored":
        """Leave out the items whose penalty, float32 (m,), is -inf."""
        return replace(self, scores=self.scores + penalties)

    def plus(self, more: Float64Array, by_place: Float32Array, most: float, factor: float) -> "Scored":
        """Add `factor` times `more`, float64 over all items, within ±`most`; `by_place` is the same, float32 (m,)."""
        exact, largest = self.exact, self.largest + most * abs(factor)
        return Scored(
            self.matrix,
            self.scores + by_place * np.float32(factor),
            lambda rows: exact(rows) + factor * more[rows],
            # Both factors, the product and the sum are rounded, each by half of eps of a number no larger than this.
            self.error + 2 * float(np.finfo(np.float32).eps) * largest,
            largest,
        )

    def places_of(self, rows: Rows) -> Rows:
        """The places of those rows that are in the matrix and not left out."""
        if self.matrix.rows is None:
            places = rows
        else:
            places = self.matrix.rows.searchsorted(rows)
            places = places[self.matrix.rows.take(places, mode="clip") == rows]
        return places[self.scores[places] > -np.inf]

    def best_places(self, k: int, among: Rows | None = None) -> Rows:
        """Places that hold the k best, and perhaps some more; `among`, places, leaves out all others."""
        scores = self.scores if among is None else self.scores.take(among)
        found = candidates(scores, k, 2 * self.error)
        return found if among is None else among.take(found)

    def best_of_kinds(self, kinds: Kinds) -> list[Rows]:
        """Places that hold the best of each kind, as many as are needed, and perhaps some more."""
        wide = self.best_places(WIDE * max(kinds.needed))
        scores, of = self.scores.take(wide), kinds.of.take(wide)
        # `wide` holds all that score no less than its last. So it has the best of a kind, and all that float32 can't
        # tell from these, if enough of them are above that by the errors of both; the third is for this sum.
        sure = np.bincount(of[scores >= scores.min(initial=np.inf) + 3 * self.error], minlength=len(kinds.places))
        return [
            self.best_places(needed, wide[of == kind] if sure[kind] >= needed else places)
            for kind, (places, needed) in enumerate(zip(kinds.places, kinds.needed, strict=True))
        ]

    def ranked(self, places: Rows) -> tuple[Rows, Float64Array]:
        """The rows at sorted places, best first, and their scores; ties go to the lower row."""
        rows = self.matrix.items(places)
        exact = self.exact(rows)
        order = np.argsort(-exact, kind="stable")
        return rows[order], exact[order]
