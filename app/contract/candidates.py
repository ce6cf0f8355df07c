"""Which of many scores may be among the k best: most of them are only compared, not sorted."""

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import Float32Array

BLOCK = 64
SHORT = 20_000  # up to this length a partition of whole rows is quicker
LOWEST = np.finfo(np.float32).min


def candidates(scores: Float32Array, k: int, margin: float) -> npt.NDArray[np.int64]:
    """Sorted positions of the scores, float32 (n,), within `margin` of the k-th best, without those at -inf."""
    k = min(k, len(scores))
    if not k:
        return np.empty(0, dtype=np.int64)
    places = np.flatnonzero(scores >= _at_most_kth_best(scores, k) - margin)
    best = scores[places]
    threshold = np.partition(best, len(best) - k)[-k] - margin
    found: npt.NDArray[np.int64] = places[(best >= threshold) & (best > -np.inf)]
    return found


def candidates_of_each(
    scores: Float32Array, k: int, margins: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """`candidates` for each row of scores, float32 (n_rows, n): all positions in one array, and how many each row has.

    `margins` is float32 (n_rows,), and k at most n.
    """
    n_rows, n = scores.shape
    if not 0 < k <= n <= SHORT:
        found = [candidates(row, k, margin) for row, margin in zip(scores, margins, strict=True)]
        return np.concatenate(found or [np.empty(0, dtype=np.int64)]), np.array([len(places) for places in found])
    kth_best = np.partition(scores, n - k, axis=1)[:, n - k]
    floors = np.maximum(kth_best - margins, LOWEST)
    rows, places = np.divmod(np.flatnonzero(scores >= floors[:, None]), n)
    return places, np.bincount(rows, minlength=n_rows)


def _at_most_kth_best(scores: Float32Array, k: int) -> np.float32:
    """The k-th best of the blocks' best scores: k scores reach it, so the k-th best does."""
    # Block b holds the places b, b + n_blocks, b + 2 n_blocks…: their maxima are then taken along memory.
    padding = np.full(-len(scores) % BLOCK, -np.inf, dtype=np.float32)
    peaks: Float32Array = np.concatenate([scores, padding]).reshape(BLOCK, -1).max(axis=0)
    return np.partition(peaks, len(peaks) - k)[-k] if k <= len(peaks) else np.float32(-np.inf)
