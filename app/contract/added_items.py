"""Items that came after a model learned."""

from collections.abc import Mapping

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array
from app.contract.item_matrix import Rows


class AddedItems:
    """The last items of an artifact, by id; those with equal vectors, as equal columns make them, are scored once."""

    def __init__(self, artifact: Artifact, rows: Mapping[str, int]) -> None:
        """`rows` are those of the items by id, the artifact's last."""
        self.rows_by_id, self.rows = rows, np.array([*rows.values()], dtype=np.int64)
        first = len(artifact.item_ids) - len(rows)
        self.learned_ids = artifact.item_ids[:first]
        vectors = np.column_stack([artifact.item_embeddings[first:], artifact.item_biases[first:]])
        places: dict[bytes, int] = {}  # a tenth of the time of `np.unique`
        self._of: Rows = np.array([places.setdefault(each.tobytes(), len(places)) for each in vectors], dtype=np.int64)
        kinds = np.frombuffer(b"".join(places), dtype=vectors.dtype).reshape(-1, vectors.shape[1])
        self._embeddings, self._biases = np.ascontiguousarray(kinds[:, :-1]), kinds[:, -1].copy()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.rows)

    def scores_of_kinds(self, vector: Float32Array) -> Float32Array:
        """Scores of those whose vectors differ, float32 (n_kinds,), within the rounding of float32."""
        scores: Float32Array = self._embeddings.dot(vector)
        scores += self._biases
        return scores

    def scores(self, of_kinds: Float32Array) -> Float32Array:
        """Scores of all, float32 (n_added,)."""
        scores: Float32Array = of_kinds[self._of]
        return scores
