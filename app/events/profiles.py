"""The profile of a user: what the model has learned, and what the user has said since."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from app.contract.artifact_format import BY_TIME
from app.contract.events import FORGET, Meaning
from app.contract.item_matrix import Rows
from app.contract.recommender import Recommender
from app.events.fresh_vector import fresh_vector
from app.events.newcomers import Newcomers
from app.events.overlay import Overlay, learned_until
from app.events.trending import Trending
from app.model.profile import KeptRanking, Profile, empty_profile, learned_profile
from app.model.store import ServedModel

KEPT = 10_000


class Seen(NamedTuple):
    """An item that a user has seen: its row, and whether the user liked it."""

    row: int
    liked: bool


class Fresh(NamedTuple):
    """What a user has said since the model learned: a wish to be forgotten, then meanings by item row, oldest first."""

    is_forgotten: bool
    meanings: dict[int, Meaning]


class Profiles:
    """The profiles of all users, for one model at a time; what is new, and what trends for those who are unknown."""

    def __init__(self, overlay: Overlay, newcomers: Newcomers | None = None) -> None:
        self.overlay, self.newcomers = overlay, newcomers or Newcomers(Trending(overlay))
        self.trending = self.newcomers.trending
        self._of: _ProfilesOfModel | None = None

    def apart(self) -> "Profiles":
        """Profiles for another model, made anew from the same events."""
        return Profiles(self.overlay, self.newcomers)

    def of(self, model: ServedModel, user_id: str) -> Profile:
        """The profile of a user; empty if neither the model nor the overlay knows the user."""
        return self.fresh(model, user_id) or learned_profile(model, user_id)

    def fresh(self, model: ServedModel, user_id: str) -> Profile | None:
        """The profile of a user who has said something since the model learned; None for all others."""
        if self._of is not None and self._of.model is not model:
            self._of = None  # or the former model would stay in memory until one of these users comes
        packed = self.overlay.users.get(user_id)
        return None if packed is None else self._of_model(model).profile(user_id, packed)

    def history(self, model: ServedModel, user_id: str) -> list[Seen] | None:
        """What a user has seen: the latest first, if the model knows times; None for an unknown user."""
        packed = self.overlay.users.get(user_id)
        fresh = None if packed is None else self._of_model(model).fresh(packed)
        row = None if fresh is not None and fresh.is_forgotten else model.recommender.user_row(user_id)
        meanings = {} if fresh is None else fresh.meanings
        if row is None and not any(meanings.values()):
            return None
        latest = [
            Seen(item, meaning is Meaning.LIKED)
            for item, meaning in reversed(meanings.items())
            if meaning in (Meaning.SEEN, Meaning.LIKED)
        ]
        before = [Seen(item, liked) for item, liked in _learned(model.recommender, row).items() if item not in meanings]
        return latest + (before[::-1] if model.artifact.seen_order == BY_TIME else before)

    def _of_model(self, model: ServedModel) -> "_ProfilesOfModel":
        ours = self._of
        if ours is None or ours.model is not model or ours.store_id != self.overlay.store_id:
            ours = self._of = _ProfilesOfModel(model, self.overlay)
        return ours


class _ProfilesOfModel:
    def __init__(self, model: ServedModel, overlay: Overlay) -> None:
        self.model, self.store_id = model, overlay.store_id
        reader = _Reader(model, overlay)
        self.fresh = reader.fresh
        # Of `reader` and not of self: a circle would keep a former model until the garbage collector runs. A user's
        # bytes are another object after each event, so what is kept is never stale.
        self.profile = lru_cache(KEPT)(reader.profile)


class _Reader:
    """Reads a user's events as one model must."""

    def __init__(self, model: ServedModel, overlay: Overlay) -> None:
        self._model, self._overlay = model, overlay
        self._until = learned_until(model.artifact.events, overlay.store_id)
        self._rows: dict[int, int | None] = {}

    def profile(self, user_id: str, packed: bytes) -> Profile | None:
        """The profile of a user with these events; None if the model has learned from all of them."""
        fresh = self.fresh(packed)
        if not fresh.is_forgotten and not fresh.meanings:
            return None
        row = None if fresh.is_forgotten else self._model.recommender.user_row(user_id)
        return _profile(self._model, row, fresh)

    def fresh(self, packed: bytes) -> Fresh:
        """What these events mean, without those that the model has learned from."""
        is_forgotten, meanings, types = False, dict[int, Meaning](), self._model.event_types
        for event in self._overlay.packing.unpacked(packed):
            if event.position <= self._until:
                continue
            if event.type == FORGET:
                is_forgotten = True
                meanings.clear()
            elif (row := self._row(event.item)) is not None:
                meanings.pop(row, None)  # so that it becomes the newest
                meanings[row] = types.meaning(event.type, event.value)
        return Fresh(is_forgotten, meanings)

    def _row(self, item: int) -> int | None:
        if item not in self._rows:
            self._rows[item] = self._model.recommender.item_row(self._overlay.packing.item_ids[item])
        return self._rows[item]


def _profile(model: ServedModel, row: int | None, fresh: Fresh) -> Profile:
    recommender, learned = model.recommender, _learned(model.recommender, row)
    now = learned | {item: meaning is Meaning.LIKED for item, meaning in fresh.meanings.items()}
    taken_back = [item for item, meaning in fresh.meanings.items() if meaning is Meaning.NOTHING]
    for item in taken_back:
        del now[item]
    learned_vector = empty_profile(model).vector if row is None else recommender.user_vector(row)
    vector = fresh_vector(
        recommender,
        learned_vector,
        _rows(item for item, liked in learned.items() if liked),
        added=_rows(item for item in fresh.meanings if now.get(item) and not learned.get(item)),
        taken_back=_rows(item for item in fresh.meanings if learned.get(item) and not now.get(item)),
    )
    # The ready list is in the order of the learned vector, and lacks what was seen, taken back or not.
    is_ready = row is not None and vector is learned_vector and learned.keys().isdisjoint(taken_back)
    return Profile(
        vector,
        seen=_rows(now),
        row=row if is_ready else None,
        liked=_rows(item for item, liked in now.items() if liked),
        hidden=_rows(item for item, meaning in fresh.meanings.items() if meaning is Meaning.HIDDEN),
        newly_seen=_rows(item for item in fresh.meanings if item in now),
        kept=None if is_ready else KeptRanking(),
    )


def _learned(recommender: Recommender, row: int | None) -> dict[int, bool]:
    """The rows of what a user had seen when the model learned, as its artifact orders them, and what the user liked."""
    if row is None:
        return {}
    liked = set(recommender.liked(row).tolist())
    return {item: item in liked for item in recommender.seen(row).tolist()}


def _rows(items: Iterable[int]) -> Rows:
    return np.array(list(items), dtype=np.int64)
