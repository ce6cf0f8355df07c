"""Users to try the service with."""

from itertools import count
from typing import Literal, NamedTuple

import numpy as np

from app.contract.recommender import Recommender

Kind = Literal["short", "medium", "long", "unknown"]
# How many of the users, ordered by the length of their histories, come before the example.
PLACES: dict[Kind, float] = {"short": 0.05, "medium": 0.5, "long": 0.99}
NAME = "nobody"


class ExampleUser(NamedTuple):
    """A user with a history of some length, or one that the model does not know."""

    kind: Kind
    user_id: str
    seen: int


def example_users(recommender: Recommender) -> list[ExampleUser]:
    """A user with a short, a medium and a long history, and an unknown one; the same ones for equal artifacts."""
    lengths = np.diff(recommender.artifact.seen_indptr)
    rows = np.flatnonzero(lengths)
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    found = [(kind, rows[int(place * len(rows))]) for kind, place in PLACES.items() if len(rows)]
    known = [ExampleUser(kind, str(recommender.artifact.user_ids[row]), int(lengths[row])) for kind, row in found]
    return [*known, ExampleUser("unknown", _unknown(recommender), 0)]


def _unknown(recommender: Recommender) -> str:
    names = (f"{NAME}{number or ''}" for number in count())
    return next(name for name in names if recommender.user_row(name) is None)
