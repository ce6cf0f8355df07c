"""How far a score computed in float32 can be from the exact one."""

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array


class RoundingBound:
    """A bound on |float32 score - exact score| that holds for every item of an artifact."""

    def __init__(self, artifact: Artifact) -> None:
        norms = np.sqrt(np.einsum("nd,nd->n", artifact.item_embeddings, artifact.item_embeddings))
        self._largest_norm = float(norms.max())
        self._largest_bias = float(np.abs(artifact.item_biases).max())
        # Of the largest score.
        self.relative = (artifact.item_embeddings.shape[1] + 2) * float(np.finfo(np.float32).eps)

    def errors(self, vectors: Float32Array) -> npt.NDArray[np.float64]:
        """The bound for each user vector: float64 (n,) for float32 (n, d).

        d products and a bias, summed in any order, are off by at most γ(d + 1) · (|vector| · |embedding| + |bias|),
        where γ(n) = nu / (1 - nu) and u, the unit round-off, is half of eps. d + 2 times eps is a little more than
        twice that, which covers norms that are rounded themselves. Source: Higham, Accuracy and Stability of
        Numerical Algorithms (2002), section 3.1.
        """
        errors: npt.NDArray[np.float64] = self.relative * self.largest(vectors)
        return errors

    def largest(self, vectors: Float32Array) -> npt.NDArray[np.float64]:
        """What no score is beyond, for each vector: float64 (n,) for float32 (n, d)."""
        norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors).astype(np.float64))
        largest: npt.NDArray[np.float64] = norms * self._largest_norm + self._largest_bias
        return largest
