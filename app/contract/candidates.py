"""Which of many scores may be among the k best: most of them are only compared, not sorted."""

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Float32Array

BLOCK = 64


def candidates(scores: Float32Array, k: int, margin: float) -> npt.NDArray[np.int64]:
    """Sorted places of all scores, float32 (n,), that reach the k-th best less `margin`, without those at -inf."""
    k = min(k, len(scores))
    if not k:
        return np.empty(0, dtype=np.int64)
    places = np.flatnonzero(scores >= _at_most_kth_best(scores, k) - margin)
    best = scores[places]
    threshold = np.partition(best, len(best) - k)[-k] - margin
    found: npt.NDArray[np.int64] = places[(best >= threshold) & (best > -np.inf)]
    return found


def _at_most_kth_best(scores: Float32Array, k: int) -> np.float32:
    """The k-th best of the blocks' best scores: k scores reach it, so the k-th best does."""
    # Block b holds the places b, b + n_blocks, b + 2 n_blocks…: their maxima are then taken along memory.
    padding = np.full(-len(scores) % BLOCK, -np.inf, dtype=np.float32)
    peaks: Float32Array = np.concatenate([scores, padding]).reshape(BLOCK, -1).max(axis=0)
    return np.partition(peaks, len(peaks) - k)[-k] if k <= len(peaks) else np.float32(-np.inf)
