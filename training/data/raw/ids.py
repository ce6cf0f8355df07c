"""Types ids: int64 if every id of a column is a whole number, else text."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

LONGEST = 200  # characters of an id
CANONICAL = r"^(0|-?[1-9][0-9]{0,18})$"  # "007" and "7" are two texts, so they mustn't become one number

Ids = npt.NDArray[Any]


def typed(texts: pa.Array) -> Ids:
    """Convert ids to int64 if all of them are numbers in their usual spelling, else to str objects."""
    if pc.all(pc.match_substring_regex(texts, CANONICAL)).as_py():
        try:
            return np.asarray(texts.cast(pa.int64()).to_numpy(), dtype=np.int64)
        except pa.ArrowInvalid:  # 19 digits can be too many
            pass
    return as_text(texts)


def typed_series(texts: list[str]) -> "pd.Series[Any]":
    """Convert ids as `typed` does, to a column."""
    return pd.Series(typed(pa.array(texts, pa.string())).tolist())


def as_text(texts: pa.Array) -> Ids:
    """Convert ids to str objects."""
    return np.asarray(texts.to_numpy(zero_copy_only=False), dtype=object)


def bad(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Mark ids that are empty, too long or hold a NUL, which NumPy drops at the end of a text."""
    length = pc.utf8_length(texts).to_numpy(zero_copy_only=False)
    nul = pc.match_substring(texts, "\0").to_numpy(zero_copy_only=False)
    return np.asarray((length == 0) | (length > LONGEST) | nul)
