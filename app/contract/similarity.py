"""How alike items are: the cosine of their embeddings, without biases, which would make popular items look alike."""

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array, Float64Array
from app.contract.item_matrix import ItemMatrix, Mask, Rows
from app.contract.placement_rules import MAX_LENGTH
from app.contract.ranking import NO_ROWS, Ranking
from app.contract.scored import Scored

# Among which diversity may choose. All pages share them: the second does not depend on the size of the first.
DIVERSITY_CANDIDATES = 5 * MAX_LENGTH
TIE_DECIMALS = 5
TIE = 2e-5  # more than what two cosines that round alike differ by


class Similarity:
    """Cosines between the items of an artifact; an item whose embedding is all zero is like no other."""

    def __init__(self, artifact: Artifact, withdrawn: Rows = NO_ROWS) -> None:
        """`withdrawn` are rows that are like no item."""
        self._embeddings, self._withdrawn = artifact.item_embeddings, withdrawn
        self._all_items = ItemMatrix.of_all(artifact)
        norms = np.sqrt(np.einsum("nd,nd->n", self._embeddings, self._embeddings))
        self._inverse_norms = np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)

    def similar(self, item_row: int, k: int, allowed: Mask | None = None) -> Ranking:
        """The k items most like this one, itself left out, scored by cosine; ties go to the lower row."""
        scored = self.scored(item_row, self.cosines(item_row), allowed)
        rows, scores = scored.ranked(scored.best_places(k))
        return Ranking(rows[None, :k], scores[None, :k])

    def scored(self, item_row: int, cosines: Float32Array, allowed: Mask | None = None) -> Scored:
        """The cosines of all items with this one, float32 (n_items,), as scores; it is left out itself."""
        scores = cosines.copy()
        if allowed is not None:
            scores[~allowed] = -np.inf
        scores[self._withdrawn] = -np.inf
        scores[item_row] = -np.inf
        # Rounded to what float32 can tell apart, so that equal items tie whatever the order of summation.
        return Scored(
            self._all_items, scores, lambda rows: scores[rows].round(TIE_DECIMALS).astype(float), TIE / 2, 1.0
        )

    def cosines(self, item_row: int) -> Float32Array:
        """The cosines of all items with this one, float32 (n_items,), withdrawn ones among them."""
        unit = self._unit(np.array([item_row]))[0].astype(np.float32)
        cosines: Float32Array = (self._embeddings @ unit) * self._inverse_norms
        return cosines

    def closest(self, items: Rows, history: npt.NDArray[np.integer], n: int) -> list[Rows]:
        """For each item the n items of a history most like it, without itself and those of no positive cosine."""
        cosines = self._unit(items) @ self._unit(history).T
        cosines[items[:, None] == history] = 0
        orders = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
        rows = np.asarray(history, dtype=np.int64)
        return [rows[order[alike[order] > 0]] for alike, order in zip(cosines, orders, strict=True)]

    def diversify(self, ranking: Ranking, k: int, diversity: float) -> Ranking:
        """Reorder one row of candidates, best first, and keep k of them: maximal marginal relevance.

        Each next item has the highest (1 - diversity) · relevance - diversity · cosine to the most alike one
        chosen before; relevance is the score scaled to 0…1 over the candidates. Source: Carbonell and
        Goldstein, The use of MMR, diversity-based reranking (1998).
        """
        items, scores = ranking.items[0], ranking.scores[0]
        spread = np.ptp(scores) if len(scores) else 0.0
        relevance = (scores - scores.min()) / spread if spread else np.ones(len(scores))
        chosen: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        unit = self._unit(items)
        alike, free = np.zeros(len(items)), np.ones(len(items), dtype=bool)
        for _ in range(min(k, len(items))):
            marginal = (1 - diversity) * relevance - diversity * alike
            best = int(np.argmax(np.where(free, marginal, -np.inf)))
            chosen, free[best] = np.append(chosen, best), False
            cosines = unit @ unit[best]
            alike = cosines if len(chosen) == 1 else np.maximum(alike, cosines)
        return Ranking(items[chosen][None], scores[chosen][None])

    def _unit(self, rows: npt.NDArray[np.integer]) -> Float64Array:
        unit: Float64Array = self._embeddings[rows] * self._inverse_norms[rows, None].astype(np.float64)
        return unit
