"""Who likes items that a version has not learned: what moves their vectors towards those who like them."""

from collections.abc import Iterable

import numpy as np

from app.contract.artifact_format import Float64Array
from app.contract.events import Meaning
from app.events.overlay import Overlay, learned_until
from app.model.revision import Crowd
from app.model.store import ServedModel


class Crowds:
    """The people, known to one version, who like certain items; a running sum makes each event cost microseconds."""

    def __init__(self, model: ServedModel, overlay: Overlay) -> None:
        self._model, self._overlay, self.store_id = model, overlay, overlay.store_id
        self._until = learned_until(model.artifact.events, overlay.store_id)
        self._users: dict[str, set[str]] = {}  # of each item
        self.of: dict[str, Crowd] = {}

    def watch(self, item_ids: Iterable[str]) -> set[str]:
        """Start to follow further items; returns those that somebody likes."""
        new = [each for each in item_ids if each not in self._users]
        self._users |= {each: set() for each in new}
        return {item_id for user_id, item_id in self._overlay.who_said(new) if self._hear(user_id, item_id)}

    def hear(self, user_id: str, item_id: str | None) -> set[str]:
        """Read again what a user says of one item or of all; returns the items whose crowds have changed."""
        items = [each for each, users in self._users.items() if user_id in users] if item_id is None else [item_id]
        return {each for each in items if each in self._users and self._hear(user_id, each)}

    def _hear(self, user_id: str, item_id: str) -> bool:
        users, vector = self._users[item_id], self._vector(user_id)
        likes_it = vector is not None and self._likes(user_id, item_id)
        if vector is None or likes_it == (user_id in users):
            return False
        total, likes = self.of.get(item_id, Crowd(np.zeros_like(vector), 0))
        if likes_it:
            users.add(user_id)
            self.of[item_id] = Crowd(total + vector, likes + 1)
        else:
            users.remove(user_id)
            self.of[item_id] = Crowd(total - vector, likes - 1)
        return True

    def _likes(self, user_id: str, item_id: str) -> bool:
        event = self._overlay.last_event(user_id, item_id)
        is_fresh = event is not None and event.position > self._until
        types = self._model.event_types
        return event is not None and is_fresh and types.meaning(event.type, event.value) is Meaning.LIKED

    def _vector(self, user_id: str) -> Float64Array | None:
        """What the model has learned of a user, scaled; None if it has learned nothing."""
        recommender, fold_in = self._model.recommender, self._model.artifact.item_fold_in
        row = recommender.user_row(user_id)
        if row is None or fold_in is None:
            return None
        vector = recommender.user_vector(row)
        return fold_in.scaled(vector) if vector.any() else None
