"""Counts of positives of which older ones count less."""

import numpy as np

from app.contract.artifact import Aging, Float32Array
from training.models.base import TrainingData


def aged_popularity(data: TrainingData, share: float) -> tuple[Float32Array, Aging] | None:
    """Count positives, each half as much for each `share` of the data's span that it is older than the newest.

    float32 (n_items,); None for the share 0, and where the data has no times.
    """
    if not share or data.times is None or not len(data.times):
        return None
    oldest, newest = float(data.times.min()), float(data.times.max())
    aging = Aging(max(share * (newest - oldest), 1.0), newest)
    weights = data.positives.data * 0.5 ** ((newest - data.times) / aging.half_life)
    counts = np.bincount(data.positives.indices, weights, data.positives.shape[1])
    return counts.astype(np.float32), aging
