"""Counts of positives of which older ones count less."""

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Aging, Trends
from app.contract.artifact_format import Float32Array
from app.contract.trends import HALF_LIVES
from training.models.base import TrainingData


def aged_popularity(data: TrainingData, share: float) -> tuple[Float32Array, Aging] | None:
    """Count positives, each half as much for each `share` of the data's span that it is older than the newest.

    float32 (n_items,); None for the share 0, and where the data has no times.
    """
    if not share or data.times is None or not len(data.times):
        return None
    oldest, newest = float(data.times.min()), float(data.times.max())
    aging = Aging(max(share * (newest - oldest), 1.0), newest)
    return _counts(data, data.times, aging), aging


def trending(data: TrainingData) -> tuple[Float32Array, Trends] | None:
    """Count positives with each of `HALF_LIVES`: float32 (half-lives, n_items); None where the data has no times."""
    if data.times is None or not len(data.times):
        return None
    newest = float(data.times.max())
    counts = [_counts(data, data.times, Aging(half_life, newest)) for half_life in HALF_LIVES]
    return np.array(counts), Trends([*HALF_LIVES], newest)


def _counts(data: TrainingData, times: npt.NDArray[np.float64], aging: Aging) -> Float32Array:
    weights = data.positives.data * 0.5 ** ((aging.at - times) / aging.half_life)
    return np.bincount(data.positives.indices, weights, data.positives.shape[1]).astype(np.float32)
