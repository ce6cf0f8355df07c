"""Computes confidence intervals by resampling users."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

RESAMPLES_AT_ONCE = 50


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its confidence interval."""

    mean: float
    low: float
    high: float

    def __format__(self, form: str) -> str:
        return f"{self.mean:{form}} [{self.low:{form}}, {self.high:{form}}]"


def confidence_interval(
    values: npt.NDArray[np.float64], resamples: int, confidence: float, rng: np.random.Generator
) -> list[Interval]:
    """Compute percentile intervals of the column means of `values`, float64 (n_users, n_metrics).

    Every resample draws the same users for all columns, so a column may be a paired difference. A user
    with NaN in a column does not count there; each column needs one user who has a value.
    Source: Efron, Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    n_users, defined = len(values), ~np.isnan(values)
    known = np.where(defined, values, 0)
    means = np.empty((resamples, values.shape[1]))
    with threadpool_limits(1, "blas"):  # such narrow products are slower with threads
        for start in range(0, resamples, RESAMPLES_AT_ONCE):
            size = min(RESAMPLES_AT_ONCE, resamples - start)
            drawn = rng.integers(n_users, size=(size, n_users), dtype=np.int32)
            weights = np.array([np.bincount(users, minlength=n_users) for users in drawn], dtype=np.float64)
            n_defined = n_users if defined.all() else weights @ defined
            with np.errstate(invalid="ignore"):  # a resample may draw only users without a value
                means[start : start + size] = weights @ known / n_defined
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(means, [tail, 1 - tail], axis=0)
    return [Interval(*map(float, column)) for column in zip(np.nanmean(values, axis=0), low, high, strict=True)]
