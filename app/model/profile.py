"""What a list is made from: a user vector, and the items to leave out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import Float32Array
from app.contract.item_matrix import Rows
from app.contract.ranking import NO_ROWS, Ranking
from app.model.store import ServedModel

Source = Literal["personalised", "popular"]
ItemRows = npt.NDArray[np.integer]


class KeptRanking:
    """A ranking without filters that is kept for the next request; shorter ones are its beginning."""

    def __init__(self) -> None:
        self._kept: tuple[int, Ranking] | None = None

    def first(self, k: int, rank: Callable[[], Ranking]) -> Ranking:
        """The k best items; `rank` gives them if fewer are kept."""
        kept = self._kept
        if kept is None or kept[0] < k:
            self._kept = kept = k, rank()
        return Ranking(kept[1].items[:, :k], kept[1].scores[:, :k])


@dataclass(frozen=True)
class Profile:
    """A user vector, and item rows.

    `seen` are the items to leave out; those in `hidden` stay out even where seen items are allowed. `row` is the user's
    row if the list may come from the model's ready list, without the items in `newly_seen`. `liked` are the items that
    explain a list; None: what the model has learned of the user in `row`. `kept` is for a profile that is used again.
    """

    vector: Float32Array
    seen: ItemRows
    row: int | None = None
    liked: ItemRows | None = None
    hidden: ItemRows | None = None
    newly_seen: ItemRows | None = None
    kept: KeptRanking | None = None

    @property
    def source(self) -> Source:
        """`popular` if the vector is all zero: nothing has been learned about the user."""
        return "personalised" if self.vector.any() else "popular"

    def with_seen_allowed(self) -> "Profile":
        """The profile of this user, with seen items allowed."""
        hidden = NO_ROWS if self.hidden is None else self.hidden
        return replace(self, seen=hidden, row=None, kept=None)

    def without(self, items: Rows) -> "Profile":
        """The profile for a list that leaves out some more items."""
        return replace(self, seen=np.concatenate([self.seen, items])) if len(items) else self


def empty_profile(model: ServedModel) -> Profile:
    """A profile that says nothing, which gets popular items."""
    return Profile(np.zeros(model.artifact.item_embeddings.shape[1], dtype=np.float32), NO_ROWS)


def learned_profile(model: ServedModel, user_id: str) -> Profile:
    """What the model has learned of a user; empty if it does not know the user."""
    recommender = model.recommender
    row = recommender.user_row(user_id)
    if row is None:
        return empty_profile(model)
    return Profile(recommender.user_vector(row), recommender.seen(row), row)


def fold_in_profile(model: ServedModel, liked: Rows, disliked: Rows, start: Float32Array | None = None) -> Profile:
    """The profile of a new user from liked items, the newest last, and disliked ones, which are left out, and no more.

    `start` is what the user's attributes say.
    """
    vector = model.recommender.fold_in(liked[~np.isin(liked, disliked)], start)
    return Profile(vector, np.concatenate([liked, disliked]), liked=liked)


def liked_rows(model: ServedModel, profile: Profile) -> ItemRows:
    """The rows of the items that explain a list for this profile."""
    if profile.liked is not None:
        return profile.liked
    return NO_ROWS if profile.row is None else model.recommender.liked(profile.row)
