"""Scores of ready lists as int32: what the service shows of them, in millionths."""

import numpy as np
import numpy.typing as npt

MILLION = 1e6
LARGEST = 2**31 - 1
NO_SCORE = -(2**31)


def as_millionths(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """Scores in millionths: int32 of the shape of `scores`; NO_SCORE where a reader must compute the score itself.

    That is beyond ±2147.483647, and for numbers that round to −0, which no integer is.
    `as_millionths(scores) / MILLION` equals `scores.round(6)` bit for bit, except there.
    """
    millionths = np.rint(scores * MILLION)
    fits = (np.abs(millionths) <= LARGEST) & ((millionths != 0) | ~np.signbit(millionths))
    return np.where(fits, millionths, NO_SCORE).astype(np.int32)
