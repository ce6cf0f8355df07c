"""Tests whether differences between recipes are more than chance."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import ttest_1samp


def paired_p_value(differences: npt.NDArray[np.float64]) -> float:
    """Compute the two-sided p of the paired t-test on differences per user, float64 (n_users,); 1 where all are 0.

    Source: Urbano, Lima, Hanjalic, Statistical significance testing in information retrieval (2019), who find it the
    best calibrated for such means.
    """
    if len(differences) < 2 or not differences.any():
        return 1.0
    if np.ptp(differences) == 0:  # scipy warns of a division by the spread, which is 0
        return 0.0
    return float(ttest_1samp(differences, 0.0).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust each p value for the number of them, so that the chance of any false alarm stays below p.

    Source: Holm, A simple sequentially rejective multiple test procedure (1979).
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(np.asarray(p_values)[order] * factors))
    return [float(p) for p in adjusted]
