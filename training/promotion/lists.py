"""The lists that a version gives to some of its users: they are kept beside it, for its successor to compare."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from app.contract.artifact import Artifact
from app.contract.ranking import NO_ITEM
from app.contract.recommender import Recommender
from training.data.dataset import USER_ID

ITEMS = "items"
MOST_USERS = 1000
LENGTH = 10


def sample_lists(artifact: Artifact, seed: int) -> pd.DataFrame:
    """Rank for 1,000 users at random, or for all if there are fewer."""
    rng, n_users = np.random.default_rng(seed), len(artifact.user_ids)
    rows = np.sort(rng.choice(n_users, min(MOST_USERS, n_users), replace=False))
    return lists_of(artifact, artifact.user_ids[rows].astype(str).tolist())


def lists_of(artifact: Artifact, users: Iterable[str]) -> pd.DataFrame:
    """Rank the first ten items for these users; one whom the model doesn't know has an empty list.

    Columns: user_id and items, ids as texts.
    """
    recommender, names = Recommender(artifact), artifact.item_ids.astype(str)

    def items(user: str) -> list[str]:
        row = recommender.user_row(user)
        if row is None:
            return []
        ranked = recommender.ready(row, LENGTH).items[0]
        return [str(name) for name in names[ranked[ranked != NO_ITEM]]]

    wanted = list(users)
    return pd.DataFrame({USER_ID: wanted, ITEMS: [items(user) for user in wanted]})


def overlap(ours: pd.DataFrame, theirs: pd.DataFrame) -> float:
    """Compute the mean share of their items that ours hold, over the users of both tables, which are the same."""
    pairs = zip(ours[ITEMS], theirs[ITEMS], strict=True)
    return float(np.mean([len(set(mine) & set(other)) / max(len(other), 1) for mine, other in pairs]))


def coverage(lists: pd.DataFrame, n_items: int) -> float:
    """Compute the share of the catalogue that is in a list."""
    return len(set(lists[ITEMS].explode().dropna())) / n_items
