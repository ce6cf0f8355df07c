"""Exact top-k over an artifact: the one ranking that both the service and the evaluation use."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact, Float32Array
from app.contract.ids import row_of
from app.contract.ready_scores import MILLION, NO_SCORE
from app.contract.rounding import RoundingBound

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Float64Array = npt.NDArray[np.float64]

NO_ITEM = -1
SPARE_CANDIDATES = 16
MINUS_INFINITY = np.float32(-np.inf).view(np.int32)
BLOCK = 64  # items of which only the best score is compared at first


@dataclass(frozen=True)
class Ranking:
    """Items, best first: rows of the artifact, int64 (n_users, k), and scores, float64 (n_users, k).

    k is what was asked for, or the number of items if that is smaller. Where a user has fewer candidates
    the rest is NO_ITEM with the score -inf.
    """

    items: Rows
    scores: Float64Array


class Recommender:
    """Ranks all items that a user has not seen by user · item + item_bias; ties go to the lower row.

    A user without a learned vector (all zero) is ranked by item popularity instead. The order is that
    of scores computed in float64, so it is the same for one user as for many at once.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._rounding = RoundingBound(artifact)
        self._popularity = artifact.item_popularity.astype(np.float32)
        self._padding = np.full(-self.n_items % BLOCK, -np.inf, dtype=np.float32)

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
        return row_of(self.artifact.user_ids, user_id)

    def item_row(self, item_id: str) -> int | None:
        """The row of an external item id, or None for an item the model does not know."""
        return row_of(self.artifact.item_ids, item_id)

    def user_vector(self, user_row: int) -> Float32Array:
        """What the model has learned of a user: float32 (dim,), all zero if nothing."""
        vector: Float32Array = self.artifact.user_embeddings[user_row]
        return vector

    def seen(self, user_row: int) -> npt.NDArray[np.int32]:
        """The rows of the items that a user has rated."""
        return self.artifact.seen_indices[self._rated(user_row)]

    def liked(self, user_row: int) -> npt.NDArray[np.int32]:
        """The rows of the items that a user has rated as positive; all that are seen, where the artifact can't tell."""
        rated = self._rated(user_row)
        return self.artifact.seen_indices[rated][self.artifact.seen_liked[rated]]

    def fold_in(self, liked: Rows, disliked: Rows) -> Float32Array:
        """A vector, float32 (dim,), for somebody the model has not learned, from item rows liked and disliked.

        Σ encoder[liked] / √n + intercept, n being the number of all rows; what is disliked counts negatively.
        """
        encoder = self.artifact.encoder
        total = encoder[liked].sum(axis=0) - encoder[disliked].sum(axis=0)
        vector: Float32Array = total / np.float32(np.sqrt(len(liked) + len(disliked)))
        return vector + self.artifact.encoder_intercept

    def popular(self, k: int) -> Ranking:
        """The k items with most training interactions, scored by their number."""
        return self.top(np.zeros(self.artifact.item_embeddings.shape[1], dtype=np.float32), k)

    def ready(self, user_row: int, k: int) -> Ranking:
        """The k best unseen items of one user: from the ready list if the artifact has one that long, else ranked.

        Scores from a ready list are rounded to six decimals.
        """
        ready, scores = self.artifact.ready_items, self.artifact.ready_scores
        if ready is None or scores is None or k > ready.shape[1]:
            return self.top(self.user_vector(user_row), k, self.seen(user_row))
        items, millionths = ready[user_row, :k].astype(np.int64), scores[user_row, :k]
        if items[-1] == NO_ITEM:
            found = items != NO_ITEM
            items, millionths = items[found], millionths[found]
        if NO_SCORE in millionths.tolist():
            return Ranking(items[None], self.exact_scores(self.user_vector(user_row)[None], items[None]))
        return Ranking(items[None], (millionths / MILLION)[None])

    def top(
        self, vector: Float32Array, k: int, hidden: npt.NDArray[np.integer] | None = None, allowed: Mask | None = None
    ) -> Ranking:
        """The k best items for one vector, float32 (dim,), exactly; one row, shorter where fewer may be shown.

        Never an item whose row is in `hidden`, nor one where `allowed`, bool (n_items,), is False.
        Only blocks of items whose best score is among the highest are searched, so most scores are read once.
        """
        scores = self._scores_of(vector, allowed)
        if hidden is not None:
            scores[hidden] = -np.inf
        k = min(k, self.n_items)
        candidates = self._candidates(scores, k, 2 * float(self._rounding.errors(vector[None])[0]))[None]
        return self._best(vector[None], candidates, k)

    def recommend(self, user_rows: Rows, k: int) -> Ranking:
        """The k best unseen items of each user, exactly."""
        return self.select(user_rows, self.scores(user_rows), k)

    def scores(self, user_rows: Rows) -> Float32Array:
        """Scores of all items, float32 (n_users, n_items); -inf for what the user has seen."""
        artifact = self.artifact
        vectors = artifact.user_embeddings[user_rows]
        scores: Float32Array = vectors @ artifact.item_embeddings.T
        scores += artifact.item_biases
        scores[~vectors.any(axis=1)] = self._popularity
        scores[self._seen_places(user_rows)] = -np.inf
        return scores

    def select(self, user_rows: Rows, scores: Float32Array, k: int) -> Ranking:
        """The k best items of each row of `scores`, which are those of the users or have more set to -inf.

        Rounding in float32 can't change the order: all items within the rounding error of the k-th are taken, then
        scored again in float64.
        """
        vectors, k = self.artifact.user_embeddings[user_rows], min(k, self.n_items)
        margins = 2 * self._rounding.errors(vectors)
        candidates = [self._candidates(row, k, float(margin)) for row, margin in zip(scores, margins, strict=True)]
        ranking = Ranking(np.full((len(scores), k), NO_ITEM), np.full((len(scores), k), -np.inf))
        # Rows with as many candidates go together: a row alone costs more calls than arithmetic.
        lengths = np.array([len(rows) for rows in candidates], dtype=np.int64)
        for length in np.unique(lengths[lengths > 0]):
            places = np.flatnonzero(lengths == length)
            rows = np.stack([candidates[place] for place in places])
            best = self._best(vectors[places], rows, k)
            ranking.items[places, : best.items.shape[1]] = best.items
            ranking.scores[places, : best.scores.shape[1]] = best.scores
        return ranking

    def exact_scores(self, vectors: Float32Array, items: Rows) -> Float64Array:
        """Scores of some items for each vector, float32 (n, dim): float64, of the shape of `items` (n, m)."""
        artifact = self.artifact
        # Each product is summed by itself, so the same whatever else is in the batch, which a matrix product isn't.
        embeddings = artifact.item_embeddings[items].astype(np.float64, order="C")
        scores: Float64Array = np.vecdot(embeddings, vectors.astype(np.float64)[:, None, :])
        scores += artifact.item_biases.take(items)
        learned = vectors.any(axis=1)
        if not learned.all():
            scores[~learned] = artifact.item_popularity[items[~learned]]
        return scores

    def _rated(self, user_row: int) -> slice:
        return slice(*self.artifact.seen_indptr[user_row : user_row + 2].tolist())

    def _scores_of(self, vector: Float32Array, allowed: Mask | None) -> Float32Array:
        if vector.any():
            scores: Float32Array = vector @ self.artifact.item_embeddings.T
            scores += self.artifact.item_biases
        else:
            scores = self._popularity.copy()
        if allowed is not None:
            scores += _penalties(allowed)
        return scores

    def _candidates(self, scores: Float32Array, k: int, margin: float) -> Rows:
        """Sorted rows of all items that reach the k-th best score less `margin`, without those at -inf."""
        # Block b holds the rows b, b + n_blocks, b + 2 n_blocks…: their maxima are then taken along memory.
        peaks = np.concatenate([scores, self._padding]).reshape(BLOCK, -1).max(axis=0)
        chosen = min(k + SPARE_CANDIDATES, len(peaks))
        order = np.argpartition(peaks, len(peaks) - chosen)
        rows: Rows = (order[-chosen:] + np.arange(0, len(peaks) * BLOCK, len(peaks))[:, None]).ravel()
        rows = rows[rows < self.n_items]
        threshold = np.partition(scores[rows], len(rows) - k)[-k] - margin
        # A block that was not chosen may hold one within the margin; then all items are searched.
        if peaks[order[:-chosen]].max(initial=-np.inf) >= threshold:
            rows = np.arange(self.n_items)
        return np.sort(rows[(scores[rows] >= threshold) & (scores[rows] > -np.inf)])

    def _seen_places(self, user_rows: Rows) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Positions in `user_rows`, and the items seen by the users there."""
        starts = self.artifact.seen_indptr[user_rows]
        lengths = self.artifact.seen_indptr[user_rows + 1] - starts
        positions = np.repeat(np.arange(len(user_rows)), lengths)
        within = np.arange(len(positions)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return positions, self.artifact.seen_indices[np.repeat(starts, lengths) + within]

    def _best(self, vectors: Float32Array, candidates: Rows, k: int) -> Ranking:
        exact = self.exact_scores(vectors, candidates)
        # Candidates are sorted, so a stable sort leaves ties in the order of rows.
        order = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        return Ranking(np.take_along_axis(candidates, order, axis=1), np.take_along_axis(exact, order, axis=1))


def _penalties(allowed: Mask) -> Float32Array:
    """0 where allowed, else -inf: put together from bits, a tenth of the time of `np.where`."""
    bits: npt.NDArray[np.int32] = (~allowed).astype(np.int32)
    bits *= MINUS_INFINITY
    return bits.view(np.float32)
