"""Exact top-k over an artifact: the one ranking that both the service and the evaluation use."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from app.contract.added_items import AddedItems
from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array
from app.contract.candidates import candidates_of_each
from app.contract.encoder import Encoder, History
from app.contract.ids import row_of
from app.contract.item_matrix import ItemMatrix, Mask, Rows
from app.contract.ranking import NO_ITEM, NO_ROWS, ExactScores, Ranking
from app.contract.ready_rankings import ReadyRankings
from app.contract.rounding import RoundingBound
from app.contract.score_spread import ScoreSpread
from app.contract.scored import Scored


class Recommender:
    """Ranks all items that a user has not seen by user · item + item_bias; ties go to the lower row.

    A user without a learned vector (all zero) is ranked by item popularity instead. The order is that
    of scores computed in float64, so it is the same for one user as for many at once.
    """

    def __init__(
        self,
        artifact: Artifact,
        withdrawn: Rows = NO_ROWS,
        added: Mapping[str, int] = MappingProxyType({}),
        spread: ScoreSpread | None = None,
    ) -> None:
        """`withdrawn` are the rows of items that no list may hold, sorted.

        `added` are the rows, by id, of items that came after the model learned: they follow all others. `spread` is
        that of the items that the model learned, where `artifact` holds others.
        """
        self.artifact, self.withdrawn = artifact, withdrawn
        self.spread = spread or ScoreSpread(artifact)
        self.encoder = Encoder(artifact.encoder, artifact.encoder_intercept, artifact.recency)
        self._added = AddedItems(artifact, added)
        self._rounding = RoundingBound(artifact)
        self.all_items = ItemMatrix.of_all(artifact)
        self._exact = ExactScores(artifact, self.all_items.popularity)
        self.exact_scores = self._exact.of
        self.ready_rankings = ReadyRankings(artifact, withdrawn, self._added, self._exact, self._rounding)
        self._most_popular = float(self.all_items.popularity.max(initial=0))

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
        row = row_of(self._added.learned_ids, item_id)
        return self._added.rows_by_id.get(item_id) if row is None else row

    def user_vector(self, user_row: int) -> Float32Array:
        """What the model has learned of a user: float32 (dim,), all zero if nothing."""
        vector: Float32Array = self.artifact.user_embeddings[user_row]
        return vector

    def seen(self, user_row: int) -> npt.NDArray[np.int32]:
        """The rows of the items that a user has rated, from the oldest to the newest where the artifact knows times."""
        return self.artifact.seen_indices[self._rated(user_row)]

    def liked(self, user_row: int) -> npt.NDArray[np.int32]:
        """The rows of the items that a user has rated as positive; all that are seen, where the artifact can't tell."""
        rated = self._rated(user_row)
        return self.artifact.seen_indices[rated][self.artifact.seen_liked[rated]]

    def fold_in(self, liked: History, start: Float32Array | None = None) -> Float32Array:
        """A vector, float32 (dim,), for somebody the model has not learned, who likes these rows, the newest last.

        n / (n + c) · Enc(liked) + c / (n + c) · start, Enc being the model's encoder, n the number of rows that count
        there, c the model's `newcomer_weight`. `start` is what attributes say of the person, and the vector without
        such a row is `Artifact.of_strangers` of it; where they say nothing, it is the mean user, and all zero without.
        """
        vector, n = self.encoder.encoded(liked)
        known = start is not None and start.any()
        if not n:
            return self.artifact.of_strangers(start) if start is not None and known else vector
        mean, weight = self.artifact.mean_user, self.artifact.newcomer_weight
        if mean is not None:
            share = np.float32(n / (n + weight))
            vector *= share
            vector += (1 - share) * (start if start is not None and known else mean)
        return vector

    def popular(self, k: int) -> Ranking:
        """The k items with most positives, of which older ones count less, scored by that."""
        return self.top(np.zeros(self.artifact.item_embeddings.shape[1], dtype=np.float32), k)

    def ready(self, user_row: int, k: int) -> Ranking:
        """The k best unseen items of one user: from the ready list if it is long enough, else ranked.

        Scores from a ready list are rounded to six decimals.
        """
        found = self.ready_rankings.first(user_row, k)
        return self.top(self.user_vector(user_row), k, self.seen(user_row)) if found is None else found

    def top(
        self,
        vector: Float32Array,
        k: int,
        hidden: npt.NDArray[np.integer] | None = None,
        allowed: Mask | None = None,
        among: ItemMatrix | None = None,
    ) -> Ranking:
        """The k best items for one vector, float32 (dim,), exactly; one row, shorter where fewer may be shown.

        Never an item whose row is in `hidden`, nor one where `allowed`, bool (n_items,), is False. `among` holds all
        that are allowed and spares the scores of the others.
        """
        scored = self.scored(vector, hidden, allowed, among)
        places = scored.best_places(k)
        return self._exact.best(vector[None], scored.matrix.items(places)[None], k)

    def scored(
        self,
        vector: Float32Array,
        hidden: npt.NDArray[np.integer] | None = None,
        allowed: Mask | None = None,
        among: ItemMatrix | None = None,
    ) -> Scored:
        """The scores that `top` ranks by."""
        matrix = among or self.all_items
        scores = matrix.scores(vector)
        if hidden is not None:
            matrix.hide(scores, hidden)
        if len(self.withdrawn):
            matrix.hide(scores, self.withdrawn)
        if allowed is not None:
            scores += matrix.penalties(allowed)
        largest = float(self._rounding.largest(vector[None])[0]) if vector.any() else self._most_popular
        error = self._rounding.relative * largest
        return Scored(matrix, scores, lambda rows: self.exact_scores(vector[None], rows[None])[0], error, largest)

    def recommend(self, user_rows: Rows, k: int) -> Ranking:
        """The k best unseen items of each user, exactly."""
        return self.select(user_rows, self.scores(user_rows), k)

    def scores(self, user_rows: Rows) -> Float32Array:
        """Scores of all items, float32 (n_users, n_items); -inf for what the user has seen."""
        artifact = self.artifact
        vectors = artifact.user_embeddings[user_rows]
        scores: Float32Array = vectors @ artifact.item_embeddings.T
        scores += artifact.item_biases
        scores[~vectors.any(axis=1)] = self.all_items.popularity
        scores[self._seen_places(user_rows)] = -np.inf
        scores[:, self.withdrawn] = -np.inf
        return scores

    def select(self, user_rows: Rows, scores: Float32Array, k: int) -> Ranking:
        """The k best items of each row of `scores`, which are those of the users or have more set to -inf.

        Rounding in float32 can't change the order: all items within the rounding error of the k-th are taken, then
        scored again in float64.
        """
        vectors, k = self.artifact.user_embeddings[user_rows], min(k, self.n_items)
        margins = 2 * self._rounding.errors(vectors)
        found, lengths = candidates_of_each(scores, k, margins.astype(np.float32))
        starts = np.cumsum(lengths) - lengths
        ranking = Ranking(np.full((len(scores), k), NO_ITEM), np.full((len(scores), k), -np.inf))
        # Rows with as many candidates go together: a row alone costs more calls than arithmetic.
        for length in np.unique(lengths[lengths > 0]):
            places = np.flatnonzero(lengths == length)
            rows = found[starts[places, None] + np.arange(length)]
            best = self._exact.best(vectors[places], rows, k)
            ranking.items[places, : best.items.shape[1]] = best.items
            ranking.scores[places, : best.scores.shape[1]] = best.scores
        return ranking

    def _rated(self, user_row: int) -> slice:
        return slice(*self.artifact.seen_indptr[user_row : user_row + 2].tolist())

    def _seen_places(self, user_rows: Rows) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Positions in `user_rows`, and the items seen by the users there."""
        starts = self.artifact.seen_indptr[user_rows]
        lengths = self.artifact.seen_indptr[user_rows + 1] - starts
        positions = np.repeat(np.arange(len(user_rows)), lengths)
        within = np.arange(len(positions)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return positions, self.artifact.seen_indices[np.repeat(starts, lengths) + within]
