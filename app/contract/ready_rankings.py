"""Rankings of users that the model has learned, from the ready lists that training has put into an artifact."""

import numpy as np
import numpy.typing as npt

from app.contract.added_items import AddedItems
from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array
from app.contract.item_matrix import Mask, Rows
from app.contract.ranking import NO_ITEM, ExactScores, Ranking
from app.contract.ready_scores import MILLION, NO_SCORE, as_millionths
from app.contract.rounding import RoundingBound

Int32Array = npt.NDArray[np.int32]


class ReadyRankings:
    """The ready lists, without the rows that are withdrawn and with the items that came after the model learned."""

    def __init__(
        self, artifact: Artifact, withdrawn: Rows, added: AddedItems, exact: ExactScores, rounding: RoundingBound
    ) -> None:
        self._artifact, self._added, self._exact, self._rounding = artifact, added, exact, rounding
        self._is_there: Mask | None = None
        if len(withdrawn):
            self._is_there = np.ones(len(artifact.item_ids), dtype=bool)
            self._is_there[withdrawn] = False

    def first(
        self,
        user_row: int,
        k: int,
        allowed: Mask | None = None,
        hidden: npt.NDArray[np.integer] | None = None,
        added_scores: Float32Array | None = None,
    ) -> Ranking | None:
        """The k best unseen items of one user by the ready list, or None where it is too short to tell.

        A ready list is the beginning of the user's order, so its first k items where `allowed`, bool (n_items,), is
        True and whose rows are not in `hidden` are the k best of these. One that ends with padding holds all unseen
        items. `added_scores` are those of `added_scores`, if they are there by now.
        """
        if self._artifact.ready_items is None or self._artifact.ready_scores is None:
            return None
        items, millionths = self._artifact.ready_items[user_row], self._artifact.ready_scores[user_row]
        holds_all = items[-1] == NO_ITEM
        if len(self._added):
            if NO_SCORE in millionths:
                return None
            scores = self.added_scores(user_row) if added_scores is None else added_scores
            items, millionths = self._with_added(user_row, items, millionths, scores)
        if holds_all or allowed is not None or hidden is not None or self._is_there is not None:
            shown = items != NO_ITEM
            if self._is_there is not None:
                shown &= self._is_there[items]
            if allowed is not None:
                shown &= allowed[items]
            if hidden is not None:
                shown &= (items[:, None] != hidden).all(axis=1)
            places = np.flatnonzero(shown)
            items, millionths = items[places], millionths[places]
        if len(items) < k and not holds_all:
            return None
        items, millionths = items[:k].astype(np.int64), millionths[:k]
        if NO_SCORE in millionths.tolist():
            return Ranking(items[None], self._exact.of(self._vector(user_row), items[None]))
        return Ranking(items[None], (millionths / MILLION)[None])

    def added_scores(self, user_row: int) -> Float32Array:
        """Scores of the added items that differ, for a user: float32, within its rounding."""
        return self._added.scores_of_kinds(self._artifact.user_embeddings[user_row])

    def _with_added(
        self, user_row: int, items: Int32Array, millionths: Int32Array, scores: Float32Array
    ) -> tuple[Int32Array, Int32Array]:
        """A ready list with the added items that are above its last one; with all where it holds all items."""
        vector, rows, holds_all = self._vector(user_row), self._added.rows, items[-1] == NO_ITEM
        if not holds_all:
            # Exact scores of all take ten times as long as these.
            least = millionths[-1] / MILLION - 2 * float(self._rounding.errors(vector)[0]) - 1 / MILLION
            rows = rows[self._added.scores(scores) >= least]
        exact = as_millionths(self._exact.of(vector, rows[None]))[0]
        better = np.ones(len(rows), dtype=bool) if holds_all else exact > millionths[-1]
        if not better.any():
            return items, millionths
        millionths = np.concatenate([millionths, exact[better]])
        # Equal scores stay in the order of rows: those of added items are the highest.
        order = np.argsort(-millionths.astype(np.int64), kind="stable")
        return np.concatenate([items, rows[better].astype(np.int32)])[order], millionths[order]

    def _vector(self, user_row: int) -> Float32Array:
        return self._artifact.user_embeddings[user_row : user_row + 1]
