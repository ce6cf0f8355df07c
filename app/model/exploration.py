"""Gives a rank of some lists to an item from behind them, or a new one, by odds that are known.

From such lists one can compute what another choice would have brought.
"""

from hashlib import blake2s
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from app.contract.item_matrix import Rows
from app.contract.placed import Chance, Placed
from app.contract.placement_rules import Exploration

CHANCES = 2**32


class Explored(NamedTuple):
    """The item of a row has a place of a list, from 0, with the probability `odds`; its score is known.

    `among` are the rows of all items that could have got it, that of the plain list first.
    """

    place: int
    row: int
    score: float
    odds: float
    among: Rows


def explored(placed: Placed, k: int, exploration: Exploration, recommendation_id: bytes) -> Explored | None:
    """Draw by the id of the list, so that anybody can draw again; None where the list has no such rank, or none else.

    The item of the plain list stays with the probability 1 − share; else each of the others has its part of the rest.
    """
    place, rows, scores = exploration.rank - 1, placed.ranking.items[0], placed.ranking.scores[0]
    others = _others(placed, k, exploration)
    if place >= min(k, len(rows)) or not others:
        return None
    drawn = int.from_bytes(blake2s(recommendation_id, digest_size=8, person=b"explore").digest(), "big")
    chance, which = divmod(drawn, CHANCES)
    among = np.array([rows[place], *(each.row for each in others)])
    if chance >= exploration.share * CHANCES:
        return Explored(place, int(rows[place]), float(scores[place]), 1 - exploration.share, among)
    sums = [*accumulate(each.weight for each in others)]
    one = others[int(np.searchsorted(sums, which / CHANCES * sums[-1], side="right"))]
    return Explored(place, one.row, one.score, exploration.share * one.weight / sums[-1], among)


def _others(placed: Placed, k: int, exploration: Exploration) -> list[Chance]:
    """New items that the list doesn't show anyway; if there are none, those that follow it, all as likely."""
    shown = {*placed.ranking.items[0, :k].tolist()}
    if new := [each for each in placed.new if each.row not in shown]:
        return new
    follow = slice(k, k + exploration.among)
    rows, scores = placed.ranking.items[0, follow].tolist(), placed.ranking.scores[0, follow].tolist()
    return [Chance(row, score, 1.0) for row, score in zip(rows, scores, strict=True)]
