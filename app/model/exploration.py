"""Gives a rank of some lists to an item from behind them, by odds that are known.

From such lists one can compute what another choice would have brought.
"""

from hashlib import blake2s
from typing import NamedTuple

from app.contract.placement import Exploration
from app.contract.recommender import Ranking, Rows

CHANCES = 2**32


class Explored(NamedTuple):
    """The item of the place `chosen` of a ranking has the place `place`, both from 0, with the probability `odds`.

    `among` are the rows of all items that could have got it, that of the plain list first.
    """

    place: int
    chosen: int
    odds: float
    among: Rows


def explored(ranking: Ranking, k: int, exploration: Exploration, recommendation_id: bytes) -> Explored | None:
    """Draw by the id of the list, so that anybody can draw again; None where the list has no such rank, or none else.

    The item of the plain list stays with the probability 1 − share; else each of the next ones has the same.
    """
    place, rows = exploration.rank - 1, ranking.items[0, : k + exploration.among]
    others = range(k, len(rows))
    if place >= k or not others:
        return None
    drawn = int.from_bytes(blake2s(recommendation_id, digest_size=8, person=b"explore").digest(), "big")
    chance, which = divmod(drawn, CHANCES)
    among = rows[[place, *others]]
    if chance < exploration.share * CHANCES:
        return Explored(place, others[which % len(others)], exploration.share / len(others), among)
    return Explored(place, place, 1 - exploration.share, among)
