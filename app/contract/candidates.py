"""Which of many scores may be among the k best: most of them are read once."""

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Float32Array

BLOCK = 64  # scores of which only the best is compared at first
SPARE_BLOCKS = 16


def candidates(scores: Float32Array, k: int, margin: float) -> npt.NDArray[np.int64]:
    """Sorted places of all scores, float32 (n,), that reach the k-th best less `margin`, without those at -inf.

    Only blocks whose best score is among the highest are searched, unless another may hold one within the margin.
    """
    k = min(k, len(scores))
    if not k:
        return np.empty(0, dtype=np.int64)
    peaks = _peaks(scores)
    chosen = min(k + SPARE_BLOCKS, len(peaks))
    order = np.argpartition(peaks, len(peaks) - chosen)
    places: npt.NDArray[np.int64] = (order[-chosen:] + np.arange(0, len(peaks) * BLOCK, len(peaks))[:, None]).ravel()
    places = places[places < len(scores)]
    threshold = np.partition(scores[places], len(places) - k)[-k] - margin
    if peaks[order[:-chosen]].max(initial=-np.inf) >= threshold:
        places = np.arange(len(scores))
    return np.sort(places[(scores[places] >= threshold) & (scores[places] > -np.inf)])


def _peaks(scores: Float32Array) -> Float32Array:
    """The best score of each block; block b holds the places b, b + n_blocks, b + 2 n_blocks…, so along memory."""
    padding = np.full(-len(scores) % BLOCK, -np.inf, dtype=np.float32)
    peaks: Float32Array = np.concatenate([scores, padding]).reshape(BLOCK, -1).max(axis=0)
    return peaks
