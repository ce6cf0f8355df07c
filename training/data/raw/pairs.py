"""Reads a given split: pairs of user and item in two files, lines `user item item …` or `user,item`."""

import re
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from training.data.dataset import HELD_OUT, ITEM_ID, RATING, USER_ID
from training.data.raw import ids
from training.data.raw.layouts import Layout
from training.data.raw.rows import Row, rows, value_error, width_error
from training.data.raw.schema import RULES
from training.errors import DataError

_NAMES = ({USER_ID, "user"}, {ITEM_ID, "item"})
_NUMBER = re.compile(r"-?[0-9]+")
# The number of a line, its user and its items.
_Line = tuple[int, str, list[str]]


class _Column:
    """Ids in order of appearance, each kept once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbers = array("i")
        self._distinct: dict[str, int] = {}

    def add(self, text: str, path: Path, line: int, layout: Layout) -> None:
        """Add an id; raise DataError for one that breaks the rule."""
        if text not in self._distinct:
            if not 0 < len(text) <= ids.LONGEST or "\0" in text:
                raise value_error(f"{path}, line {line}", self.name, text, RULES[self.name], layout.remedy)
            self._distinct[text] = len(self._distinct)
        self.numbers.append(self._distinct[text])

    def values(self, *, as_text: bool = False) -> Any:  # noqa: ANN401
        """Return the ids: int64 if all are numbers and `as_text` is false."""
        texts = pa.array(list(self._distinct), pa.string())
        distinct = ids.as_text(texts) if as_text else ids.typed(texts)
        return pd.Series(distinct.tolist()).array.take(np.frombuffer(self.numbers, dtype=np.int32))


def read_pairs(directory: Path, layout: Layout, items: pd.DataFrame | None) -> pd.DataFrame:
    """Read all pairs in file order, the test file last: user_id, item_id, rating (NaN) and held_out (bool).

    Both files share one numbering and one type of ids, as `read_ratings` has them. Raises DataError that names file,
    line and value.
    """
    users, films = _Column(USER_ID), _Column(ITEM_ID)
    known = None if items is None else set(items[ITEM_ID].astype(str))
    n_training = 0
    for name in (layout.ratings, str(layout.test)):
        n_training, before = len(users.numbers), len(users.numbers)
        for line, user, wanted in _lines(directory / name, layout):
            for item in wanted:
                if known is not None and item not in known:
                    raise _unknown_film(directory / name, layout, line, item)
                users.add(user, directory / name, line, layout)
                films.add(item, directory / name, line, layout)
        if len(users.numbers) == before:
            raise _no_pairs(directory / name, layout)
    item_ids = films.values(as_text=items is not None and items[ITEM_ID].dtype != np.int64)
    ratings = pd.DataFrame({USER_ID: users.values(), ITEM_ID: item_ids})
    held_out = np.arange(len(ratings)) >= n_training
    return ratings.assign(**{RATING: np.full(len(ratings), np.nan, np.float32), HELD_OUT: held_out})


def _lines(path: Path, layout: Layout) -> Iterator[_Line]:
    if not path.is_file():
        raise DataError(f"{path} doesn't exist; run `dvc repro --force fetch`")
    lines = rows(path, layout.separator, "utf-8-sig", layout.remedy)
    return _of_csv(path, layout, lines) if layout.separator == "," else _of_text(lines)


def _of_text(lines: Iterable[Row]) -> Iterator[_Line]:
    """Lines of a user and its items, separated by spaces or tabs; published files have users without items."""
    for line, cells in lines:
        user, *items = " ".join(cells).split() or [""]
        yield line, user, items


def _of_csv(path: Path, layout: Layout, lines: Iterator[Row]) -> Iterator[_Line]:
    """Lines of a user and an item; a first line with column names is optional."""
    first = next(lines, None)
    if first is None:
        return
    names = [cell.strip().lower() for cell in first.cells]
    places = [next((place for place, name in enumerate(names) if name in known), None) for known in _NAMES]
    user, item = places
    if user is None or item is None:
        if len(names) != len(_NAMES) or not all(map(_NUMBER.fullmatch, names)):
            raise DataError(
                f"{path}, line {first.line} should name the columns user_id,item_id or hold two whole numbers, but is "
                f"{','.join(names)[:200]!r}; {layout.remedy}"
            )
        user, item = 0, 1
        lines = chain([first], lines)
    for row in lines:
        if len(row.cells) != len(names):
            raise width_error(path, row, len(names), layout.remedy)
        yield row.line, row.cells[user].strip(), [row.cells[item].strip()]


def _unknown_film(path: Path, layout: Layout, line: int, item: str) -> DataError:
    return DataError(
        f"{path}, line {line}: item_id {item!r} isn't in {layout.items}; add the film there, or remove that file, "
        f"which a split doesn't need; {layout.remedy}"
    )


def _no_pairs(path: Path, layout: Layout) -> DataError:
    shape = "user,item" if layout.separator == "," else "user item item …, separated by spaces"
    return DataError(f"{path} holds no pair of user and item; its lines should be {shape}; {layout.remedy}")
