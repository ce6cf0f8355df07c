"""Users to try the service with."""

from itertools import count
from typing import Literal

import numpy as np

from app.contract.recommender import Recommender
from app.schemas.users import ExampleUser

Kind = Literal["short", "medium", "long", "unknown"]
# How many of the users, ordered by the length of their histories, come before the example.
PLACES: dict[Kind, float] = {"short": 0.05, "medium": 0.5, "long": 0.99}
NAME = "nobody"


def example_users(recommender: Recommender) -> list[ExampleUser]:
    """A user with a short, a medium and a long history, and an unknown one; the same ones for equal artifacts."""
    lengths = np.diff(recommender.artifact.seen_indptr)
    rows = np.flatnonzero(lengths)
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    found = [(kind, rows[int(place * len(rows))]) for kind, place in PLACES.items() if len(rows)]
    known = [(kind, str(recommender.artifact.user_ids[row]), int(lengths[row])) for kind, row in found]
    names = (f"{NAME}{number or ''}" for number in count())
    unknown: tuple[Kind, str, int] = "unknown", next(name for name in names if recommender.user_row(name) is None), 0
    return [ExampleUser(kind=kind, user_id=user_id, seen=seen) for kind, user_id, seen in (*known, unknown)]
