"""The fold-in of items: how the people who like an item that no model has learned move it."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import Float64Array


class ItemFoldIn(NamedTuple):
    """The constants: users' vectors are scaled to `length`; `half` likes move an item half as far.

    docs/catalogue.md has the formula.
    """

    kappa: float
    length: float
    half: float

    def moved(self, total: Float64Array, likes: int, mean: npt.NDArray[np.floating[Any]]) -> Float64Array:
        """What the likes add to an item's vector, float64 (dim,).

        `total` is the sum of the scaled vectors of those who like it, `mean` the mean of all users'.
        """
        if not likes:
            return np.zeros_like(total)
        change: Float64Array = self.kappa * likes / (likes + self.half) * (total / likes - mean)
        return change

    def times(self, share: float) -> "ItemFoldIn":
        """The same with so much of kappa."""
        return self._replace(kappa=share * self.kappa)

    def scaled(self, vectors: npt.NDArray[np.floating[Any]]) -> Float64Array:
        """The vectors, (…, dim), each of the one length; those that are all zero stay so."""
        lengths = np.sqrt(np.einsum("...d,...d->...", vectors, vectors, dtype=np.float64))[..., None]
        scaled: Float64Array = vectors * np.divide(self.length, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        return scaled
