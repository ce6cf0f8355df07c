"""The ratio of two sums over users, such as successes a list, where each user counts as one."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t

from training.metrics.bootstrap import Interval

LEAST = 2  # users, for a variance


class Ratio(NamedTuple):
    """The ratio of two means over users, its variance, and the number of users."""

    value: float
    variance: float
    n: int

    @classmethod
    def of(cls, numerators: npt.NDArray[np.generic], denominators: npt.NDArray[np.generic]) -> "Ratio":
        """Compute it by the delta method; with denominators of 1 it is the mean and its variance.

        Source: Deng, Knoblich and Lu, Applying the delta method in metric analytics (2018).
        """
        n, above, below = len(numerators), numerators.astype(np.float64), denominators.astype(np.float64)
        if n < LEAST or not below.any():
            return cls(math.nan, math.nan, n)
        value = float(above.sum() / below.sum())
        return cls(value, float(np.var(above - value * below, ddof=1) / n / below.mean() ** 2), n)

    def log(self) -> "Ratio":
        """Its logarithm."""
        return Ratio(math.log(self.value), self.variance / self.value**2, self.n)

    def interval(self, confidence: float) -> Interval:
        """Its confidence interval by Student's t; NaN with fewer than two users."""
        if self.n < LEAST:
            return Interval(math.nan, math.nan, math.nan)
        half = float(student_t.ppf((1 + confidence) / 2, self.n - 1)) * math.sqrt(self.variance)
        return Interval(self.value, self.value - half, self.value + half)
