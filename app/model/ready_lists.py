"""Looks up ready lists with plain Python objects, since NumPy's calls cost more than a look-up."""

from bisect import bisect_left

from app.contract.artifact import Artifact
from app.contract.artifact_files import give_pages_back
from app.contract.ids import row_of
from app.contract.ranking import NO_ITEM
from app.contract.ready_scores import MILLION, NO_SCORE
from app.contract.recommender import Recommender

MAX_DIGITS = 18  # of numbers that are surely in the range of int64
ZERO = ord("0")
SCORE_DECIMALS = 6
MARGIN = 1e-3  # far more than float32 rounds by


class ReadyLists:
    """The ready lists of the users for whom the model has learned a vector."""

    def __init__(self, artifact: Artifact, revised: Recommender | None = None, n_learned: int | None = None) -> None:
        """`revised` ranks the items where some have come since the model learned, after `n_learned`, or gone."""
        self._artifact, self._revised = artifact, revised
        self._withdrawn = frozenset[int]() if revised is None else frozenset(revised.withdrawn.tolist())
        self._has_added = n_learned is not None and n_learned < len(artifact.item_ids)
        self._learned = artifact.user_embeddings.any(axis=1).tobytes()
        give_pages_back({"user_embeddings": artifact.user_embeddings})
        self._numbers = artifact.user_ids.data if artifact.user_ids.dtype.kind == "i" else None

    def user_row(self, user_id: bytes) -> int | None:
        """The row of a user, or None if the model does not know the user; `user_id` is ASCII."""
        numbers = self._numbers
        if numbers is None or not user_id.isdigit() or user_id[0] == ZERO or len(user_id) > MAX_DIGITS:
            return row_of(self._artifact.user_ids, user_id.decode())
        number = int(user_id)
        row = bisect_left(numbers, number)
        return row if row < len(numbers) and numbers[row] == number else None

    def first(self, user_row: int, k: int) -> tuple[list[int], list[float], bool] | None:
        """Item rows and scores, rounded to six decimals, of the k best unseen items; None if they must be ranked.

        And whether these are the first of those that the model has learned.
        """
        items, scores = self._artifact.ready_items, self._artifact.ready_scores
        if items is None or scores is None or k > items.shape[1] or not self._learned[user_row]:
            return None
        rows, millionths = items[user_row, :k].tolist(), scores[user_row, :k].tolist()
        is_learned = self._withdrawn.isdisjoint(rows)
        if not is_learned:
            rows, millionths = self._without_withdrawn(items[user_row].tolist(), scores[user_row].tolist(), k)
        if len(rows) < k or rows[-1] == NO_ITEM or NO_SCORE in millionths:
            return None
        if self._revised is not None and self._has_added:
            # argmax takes a quarter of the time of max.
            added, least = self._revised.ready_rankings.added_scores(user_row), millionths[-1] / MILLION
            if float(added[added.argmax()]) >= least - MARGIN * (1 + abs(least)):
                found = self._revised.ready_rankings.first(user_row, k, added_scores=added)
                if found is None or found.items.shape[1] < k:
                    return None
                return found.items[0].tolist(), found.scores[0].round(SCORE_DECIMALS).tolist(), False
        return rows, [score / MILLION for score in millionths], is_learned

    def _without_withdrawn(self, rows: list[int], millionths: list[int], k: int) -> tuple[list[int], list[int]]:
        shown = [pair for pair in zip(rows, millionths, strict=True) if pair[0] not in self._withdrawn][:k]
        return [row for row, _ in shown], [score for _, score in shown]
