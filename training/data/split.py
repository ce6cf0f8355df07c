"""Assigns every interaction to a split."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.data.dataset import HELD_OUT, POSITIVE, TIMESTAMP, USER
from training.errors import DataError
from training.params.prepare import SplitParams

SplitNumbers = npt.NDArray[np.int8]

TRAIN, VALIDATION, TEST = 0, 1, 2


def split_rows(rows: pd.DataFrame, params: SplitParams, rng: np.random.Generator) -> SplitNumbers:
    """Number the split of each row: int8 (n_rows,). `rows` are sorted by user, then time.

    per_user: the last positives of each user are test, those before them validation. Any other row belongs to the
    split of the positives around it, so no split holds a row from after the next split's first positive. random: the
    same with the history shuffled. global: two cuts in time for everybody. Where `rows` have the column held_out,
    those rows are test, and a random share of each user's others is validation.
    """
    if HELD_OUT in rows:
        return _given(rows, params, rng)
    if params.method == "global":
        return _global(rows, params)
    if params.method == "random":
        order = np.lexsort((rng.random(len(rows)), rows[USER]))
        numbers = np.empty(len(rows), dtype=np.int8)
        numbers[order] = _per_user(rows.iloc[order], params)
        return numbers
    return _per_user(rows, params)


def _per_user(rows: pd.DataFrame, params: SplitParams) -> SplitNumbers:
    total, reached = _counts(rows)
    held_out = total >= params.min_positives
    test = np.where(held_out, _share(total, params.test), 0)
    validation = np.where(held_out, _share(total, params.validation), 0)
    return _numbers(reached > total - test - validation, reached > total - test)


def _given(rows: pd.DataFrame, params: SplitParams, rng: np.random.Generator) -> SplitNumbers:
    users, held_out = rows[USER].to_numpy(), rows[HELD_OUT].to_numpy()
    if not np.isin(users[held_out], users[~held_out]).any():
        raise DataError(
            "no user of the test file is in the training file, so nobody can be measured; do they belong together?"
        )
    training = np.flatnonzero(~held_out)
    shuffled = training[np.lexsort((rng.random(len(training)), users[training]))]
    total, reached = _counts(rows.iloc[shuffled])
    validation = np.where(total >= params.min_positives, _share(total, params.validation), 0)
    numbers = np.full(len(rows), TEST, dtype=np.int8)
    numbers[shuffled] = np.where(reached > total - validation, VALIDATION, TRAIN)
    return numbers


def _counts(rows: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The number of positives of each row's user, in all and up to and including this row."""
    positive = rows[POSITIVE].to_numpy().astype(np.int64)
    by_user = pd.Series(positive).groupby(rows[USER].to_numpy())
    return by_user.transform("sum").to_numpy(np.int64), by_user.cumsum().to_numpy(np.int64)


def _share(total: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
    """The share of each total, half rounded up, at least 1."""
    rounded: npt.NDArray[np.int64] = np.floor(total * share + 0.5).astype(np.int64)
    return np.maximum(rounded, 1)


def refuse_one_time(first: float, last: float) -> None:
    """Refuse to cut in time where all ratings have the same."""
    if first == last:
        raise DataError(
            "prepare.split.method global needs timestamps, but all ratings have the same one: use per_user or random"
        )


def _global(rows: pd.DataFrame, params: SplitParams) -> SplitNumbers:
    times = rows[TIMESTAMP].to_numpy()
    refuse_one_time(times.min(), times.max())
    if not rows[POSITIVE].any():  # all is train, and `prepare` says why nothing can be measured
        return np.zeros(len(rows), dtype=np.int8)
    shares = [1 - params.test - params.validation, 1 - params.test]
    return cut_in_time(times, *np.quantile(times[rows[POSITIVE].to_numpy()], shares))


def cut_in_time(times: npt.NDArray[np.int64], validation: float, test: float) -> SplitNumbers:
    """Number the split of each time, int64 (n,), given the first moments of validation and of test: int8 (n,)."""
    return _numbers(times >= validation, times >= test)


def _numbers(from_validation: npt.NDArray[np.bool_], from_test: npt.NDArray[np.bool_]) -> SplitNumbers:
    return from_validation.astype(np.int8) + from_test.astype(np.int8)
