"""Confidence intervals by resampling users."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES_AT_ONCE = 50


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def confidence_interval(
    values: npt.NDArray[np.float64], resamples: int, confidence: float, rng: np.random.Generator
) -> list[Interval]:
    """Percentile intervals of the means of the columns of `values`, float64 (n_users, n_metrics).

    Every resample draws the same users for all columns, so a column may be a paired difference.
    Source: Efron, Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    n_users = len(values)
    means = np.empty((resamples, values.shape[1]))
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, resamples - start)
        drawn = rng.integers(n_users, size=(size, n_users), dtype=np.int32)
        weights = np.stack([np.bincount(users, minlength=n_users) for users in drawn]) / n_users
        means[start : start + size] = weights @ values
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return [Interval(*map(float, column)) for column in zip(values.mean(axis=0), low, high, strict=True)]
