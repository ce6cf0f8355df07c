"""How the values of a column are written in a file, by its type."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from app.contract.columns import LAST_TIME, as_time
from training.params.catalogue import Values

NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
SECONDS = re.compile(r"[0-9]{9,12}")  # fewer digits may be a year or a day
FLAGS = {"true": True, "1": True, "false": False, "0": False}
LINK = re.compile(r"(https?://|/(?!/))\S*")

# How pandas holds values, some of which may be missing; a column of another type holds objects.
DTYPES = {"number": "float64", "time": "Int64", "flag": "boolean"}
MISSING: dict[str, Callable[[], Any]] = {"tag": str, "tags": list, "text": str, "link": str}
Read = Callable[[str], Any]


def missing(kind: str) -> Any:  # noqa: ANN401
    """What stands for no value of a type."""
    return MISSING[kind]() if kind in MISSING else None


def column_of(values: Sequence[Any], kind: str) -> "pd.Series[Any]":
    """A column with values of a type."""
    return pd.Series(values, dtype=DTYPES.get(kind, "object"))


def reader(kind: str, column: Values) -> Read:
    """What reads a text that isn't empty; it raises ValueError that says what the text should be."""
    if kind == "tags":
        return lambda text: list(dict.fromkeys(tag for part in text.split(column.separator) if (tag := part.strip())))
    return _vectors(column.separator) if kind == "vector" else _READ[kind]


def _number(text: str) -> float:
    if not NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        raise ValueError("a number")
    return value


def _time(text: str) -> int:
    seconds = int(text) if SECONDS.fullmatch(text) else as_time(text)
    if seconds is None or seconds >= LAST_TIME:
        raise ValueError("a time such as 2024-05-01, 2024-05-01T18:30:00Z or whole seconds since 1970")
    return seconds


def _flag(text: str) -> bool:
    if text.lower() not in FLAGS:
        raise ValueError("true or false")
    return FLAGS[text.lower()]


def _link(text: str) -> str:
    if not LINK.fullmatch(text):
        raise ValueError("an address that begins with https://, http:// or /")
    return text


_READ: dict[str, Read] = {"number": _number, "time": _time, "flag": _flag, "tag": str, "text": str, "link": _link}


def _vectors(separator: str) -> Read:
    """What reads vectors as long as the first one."""
    length: list[int] = []

    def read(text: str) -> Any:  # noqa: ANN401
        try:
            vector = np.array(text.split(separator), dtype=np.float32)
        except ValueError:
            vector = np.array([np.nan], dtype=np.float32)
        if not np.isfinite(vector).all() or (length and len(vector) != length[0]):
            count = f"{length[0]} " if length else ""
            raise ValueError(f"{count}numbers joined by {separator}")
        length[:] = [len(vector)]
        return vector

    return read
