"""Exact top-k over an artifact: the one ranking that both the service and the evaluation use."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.artifact import Artifact, Float32Array

Rows = npt.NDArray[np.int64]

NO_ITEM = -1
SPARE_CANDIDATES = 16


@dataclass(frozen=True)
class Ranking:
    """Items, best first: rows of the artifact, int64 (n_users, k), and scores, float64 (n_users, k).

    k is what was asked for, or the number of items if that is smaller. Where a user has fewer candidates
    the rest is NO_ITEM with the score -inf.
    """

    items: Rows
    scores: npt.NDArray[np.float64]


class Recommender:
    """Ranks all items that a user has not seen by user · item + item_bias; ties go to the lower row.

    A user without a learned vector (all zero) is ranked by item popularity instead. The order is that
    of scores computed in float64, so it is the same whatever the size of a batch.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        norms = np.sqrt(np.einsum("nd,nd->n", artifact.item_embeddings, artifact.item_embeddings))
        self._largest_norm = float(norms.max())
        self._largest_bias = float(np.abs(artifact.item_biases).max())
        self._popular_order = np.lexsort((np.arange(self.n_items), -artifact.item_popularity))

    @property
    def n_users(self) -> int:
        """How many users the model knows."""
        return len(self.artifact.user_ids)

    @property
    def n_items(self) -> int:
        """How many items the model ranks."""
        return len(self.artifact.item_ids)

    def user_row(self, user_id: str) -> int | None:
        """The row of an external user id, or None for a user the model does not know."""
        return _row(self.artifact.user_ids, user_id)

    def item_row(self, item_id: str) -> int | None:
        """The row of an external item id, or None for an item the model does not know."""
        return _row(self.artifact.item_ids, item_id)

    def is_personalised(self, user_row: int) -> bool:
        """Whether the model has learned a vector for this user."""
        return bool(self.artifact.user_embeddings[user_row].any())

    def seen(self, user_row: int) -> npt.NDArray[np.int32]:
        """The item rows that a user has consumed."""
        start, end = self.artifact.seen_indptr[user_row : user_row + 2]
        return self.artifact.seen_indices[start:end]

    def popular(self, k: int) -> Ranking:
        """The k items with most training interactions, scored by their number."""
        items = self._popular_order[None, :k]
        return Ranking(items, self.artifact.item_popularity[items].astype(np.float64))

    def recommend(self, user_rows: Rows, k: int) -> Ranking:
        """The k best unseen items of each user, exactly."""
        return self.select(user_rows, self.scores(user_rows), k)

    def scores(self, user_rows: Rows) -> Float32Array:
        """Scores of all items, float32 (n_users, n_items); -inf for what the user has seen."""
        artifact = self.artifact
        vectors = artifact.user_embeddings[user_rows]
        scores: Float32Array = vectors @ artifact.item_embeddings.T
        scores += artifact.item_biases
        scores[~vectors.any(axis=1)] = artifact.item_popularity
        scores[self._seen_places(user_rows)] = -np.inf
        return scores

    def _seen_places(self, user_rows: Rows) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Positions in `user_rows`, and the items seen by the users there."""
        starts = self.artifact.seen_indptr[user_rows]
        lengths = self.artifact.seen_indptr[user_rows + 1] - starts
        positions = np.repeat(np.arange(len(user_rows)), lengths)
        within = np.arange(len(positions)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return positions, self.artifact.seen_indices[np.repeat(starts, lengths) + within]

    def select(self, user_rows: Rows, scores: Float32Array, k: int) -> Ranking:
        """The k best items of each row of `scores` (from `scores`, perhaps with more set to -inf).

        Rounding in float32 can't change the order: more candidates than k are taken, then scored again
        in float64. Where the spare ones do not cover the rounding error, all within it are taken.
        """
        size = min(k + SPARE_CANDIDATES, self.n_items)
        k = min(k, self.n_items)
        candidates = np.argpartition(scores, self.n_items - size, axis=1)[:, self.n_items - size :]
        candidates.sort(axis=1)  # so that a stable sort by score leaves ties in the order of rows
        rough = np.take_along_axis(scores, candidates, axis=1)
        ranking = self._best(user_rows, candidates, rough, k)
        if size == self.n_items:
            return ranking
        kth = np.partition(rough, size - k, axis=1)[:, size - k]
        thresholds = kth - 2 * self._rounding_errors(user_rows)
        for row in np.flatnonzero(~(rough.min(axis=1) < thresholds)):
            wide = np.flatnonzero(scores[row] >= thresholds[row])[None, :]
            exact = self._best(user_rows[row : row + 1], wide, scores[row, wide], k)
            ranking.items[row], ranking.scores[row] = exact.items[0], exact.scores[0]
        return ranking

    def _best(self, user_rows: Rows, candidates: Rows, rough: Float32Array, k: int) -> Ranking:
        exact = self._exact_scores(user_rows, candidates)
        exact[np.isneginf(rough)] = -np.inf
        order = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        items = np.take_along_axis(candidates, order, axis=1)
        scores = np.take_along_axis(exact, order, axis=1)
        items[np.isneginf(scores)] = NO_ITEM
        return Ranking(items, scores)

    def _exact_scores(self, user_rows: Rows, items: Rows) -> npt.NDArray[np.float64]:
        artifact = self.artifact
        vectors = artifact.user_embeddings[user_rows].astype(np.float64)
        # Each product is summed in the same order whatever else is in the batch, which a matrix product isn't.
        embeddings = artifact.item_embeddings[items].astype(np.float64)
        scores: npt.NDArray[np.float64] = np.einsum("und,ud->un", embeddings, vectors)
        scores += artifact.item_biases[items]
        popular = ~vectors.any(axis=1)
        scores[popular] = artifact.item_popularity[items[popular]]
        return scores

    def _rounding_errors(self, user_rows: Rows) -> npt.NDArray[np.float64]:
        """A bound on |float32 score - exact score|: (d + 1) unit round-offs of the largest possible sum.

        Source: Higham, Accuracy and Stability of Numerical Algorithms (2002), section 3.1.
        """
        vectors = self.artifact.user_embeddings[user_rows]
        norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors).astype(np.float64))
        round_offs = (vectors.shape[1] + 2) * float(np.finfo(np.float32).eps)
        errors: npt.NDArray[np.float64] = round_offs * (norms * self._largest_norm + self._largest_bias)
        return errors


def _row(ids: npt.NDArray[np.generic], external_id: str) -> int | None:
    if ids.dtype.kind == "i":
        wanted = _int64(external_id)
    else:
        # A longer text, or one that ends in NUL, would silently be cut to fit the array's width.
        fits = len(external_id) * 4 <= ids.dtype.itemsize and not external_id.endswith("\0")
        wanted = np.array(external_id, dtype=ids.dtype) if fits else None
    if wanted is None:
        return None
    row = int(np.searchsorted(ids, wanted))
    return row if row < len(ids) and ids[row] == wanted else None


def _int64(text: str) -> npt.NDArray[np.int64] | None:
    """The number that a canonical decimal text stands for; "007" and "+7" are not ids of user 7."""
    if len(text) > 20 or not text.removeprefix("-").isdecimal() or str(int(text)) != text:
        return None
    number = int(text)
    return np.array(number, dtype=np.int64) if -(2**63) <= number < 2**63 else None
