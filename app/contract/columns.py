"""What is known of items beside their titles: named columns, each packed into arrays by its type."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from app.contract.packed_text import Bytes, Offsets, pack_texts, text_at
from app.contract.words import Words

ColumnType = Literal["tag", "tags", "number", "time", "flag", "text", "link", "vector"]
Value = str | list[str] | int | float | bool | None
Arrays = Mapping[str, npt.NDArray[Any]]

NO_TIME = np.iinfo(np.int64).min
NO_FLAG = -1
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
FIRST_TIME, LAST_TIME = (int((EPOCH.replace(year=year) - EPOCH).total_seconds()) for year in (1, 9999))


@dataclass(frozen=True)
class Column:
    """A column by item row.

    `filter` says that requests may filter by it, `shown` that answers show it, `learn` that models learn from it.
    `arrays` are those that docs/artifact.md names for its type; a column that nobody filters by or sees has none.
    `words` are those of a text that models have learned from.
    """

    KEYS: ClassVar = ("name", "type", "filter", "shown", "learn")

    name: str
    type: ColumnType
    filter: bool = True
    shown: bool = True
    learn: bool = True
    arrays: Arrays = field(default_factory=dict, compare=False)
    words: Words | None = field(default=None, compare=False)

    @property
    def described(self) -> dict[str, Any]:
        """The entry of a manifest."""
        return {key: getattr(self, key) for key in self.KEYS}

    def filled(self, values: Iterable[Any]) -> "Column":
        """The column with values in the order of item rows; None, or a list without tags, is no value.

        A tag, a text and a link are str, tags a sequence of str, a time seconds since 1970.
        """
        stored = (self.filter or self.shown) and self.type in _PACK
        return replace(self, arrays=_PACK[self.type](values) if stored else {})

    def learned(self, values: Sequence[Any]) -> Sequence[Any]:
        """What models learn of values: of a text the vector of its words."""
        return values if self.words is None else [self.words.vector(value) for value in values]

    def reader(self) -> Callable[[int], Value]:
        """Make a function that returns the value of an item row as JSON shows it."""
        return _READERS[self.type](self.arrays)


def as_time(text: str) -> int | None:
    """Seconds since 1970 of a date or a time of ISO 8601, in UTC unless it says otherwise; None for other texts."""
    filled = text + "-01-01"[len(text) - 4 :] if len(text) in (4, 7) else text
    try:
        moment = datetime.fromisoformat(filled.replace("Z", "+00:00"))
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return (aware - EPOCH) // timedelta(seconds=1)


def _pack_values(dtype: type[np.generic], none: float, values: Iterable[float | None]) -> Arrays:
    return {"values": np.array([none if value is None else value for value in values], dtype=dtype)}


def _pack_tags(values: Iterable[Sequence[str]]) -> Arrays:
    numbers: dict[str, int] = {}
    codes = [[numbers.setdefault(tag, len(numbers)) for tag in tags] for tags in values]
    names, name_offsets = pack_texts(list(numbers))
    return {
        "indptr": np.cumsum([0, *map(len, codes)], dtype=np.int64),
        "codes": np.array([code for item in codes for code in item], dtype=np.int32),
        "names": names,
        "name_offsets": name_offsets,
    }


def _pack_tag(values: Iterable[str | None]) -> Arrays:
    return _pack_tags([value] if value else [] for value in values)


def _pack_text(values: Iterable[str | None]) -> Arrays:
    text, offsets = pack_texts([value or "" for value in values])
    return {"text": text, "text_offsets": offsets}


_PACK: dict[str, Callable[[Iterable[Any]], Arrays]] = {
    "number": partial(_pack_values, np.float64, np.nan),
    "time": partial(_pack_values, np.int64, NO_TIME),
    "flag": partial(_pack_values, np.int8, NO_FLAG),
    "tag": _pack_tag,
    "tags": _pack_tags,
    "text": _pack_text,
    "link": _pack_text,
}


def _number(arrays: Arrays) -> Callable[[int], Value]:
    values = arrays["values"]

    def read(row: int) -> Value:
        value: float = values[row].item()
        # A whole number looks like one: 1995, not 1995.0.
        return None if value != value else int(value) if value.is_integer() else value

    return read


def _time(arrays: Arrays) -> Callable[[int], Value]:
    values = arrays["values"]

    def read(row: int) -> Value:
        value: int = values[row].item()
        return None if value == NO_TIME else f"{EPOCH + timedelta(seconds=value):%Y-%m-%dT%H:%M:%SZ}".zfill(20)

    return read


def _flag(arrays: Arrays) -> Callable[[int], Value]:
    values = arrays["values"]
    return lambda row: None if values[row] == NO_FLAG else bool(values[row])


def _tags(arrays: Arrays) -> Callable[[int], list[str]]:
    indptr, codes, names, offsets = (arrays[name] for name in ("indptr", "codes", "names", "name_offsets"))

    def read(row: int) -> list[str]:
        start, end = indptr[row : row + 2].tolist()
        return [text_at(names, offsets, code) for code in codes[start:end].tolist()]

    return read


def _tag(arrays: Arrays) -> Callable[[int], Value]:
    tags = _tags(arrays)
    return lambda row: next(iter(tags(row)), None)


def _text(arrays: Arrays) -> Callable[[int], Value]:
    text: Bytes = arrays["text"]
    offsets: Offsets = arrays["text_offsets"]
    return lambda row: text_at(text, offsets, row) or None


_READERS: dict[str, Callable[[Arrays], Callable[[int], Value]]] = {
    "number": _number,
    "time": _time,
    "flag": _flag,
    "tag": _tag,
    "tags": _tags,
    "text": _text,
    "link": _text,
}
