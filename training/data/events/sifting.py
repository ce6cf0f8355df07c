"""Leaves out the events that training can't use, and counts them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.events import FORGET
from app.contract.ids import as_number
from training.data.dataset import ITEM_ID, USER_ID
from training.data.events.files import OCCURRED, RECEIVED, TYPE
from training.data.raw.ids import LONGEST

MOST_PER_DAY = 500  # events of one user that count: more than a person says
DAY = 86_400
OLDEST = 30 * DAY  # how long before its arrival an event may have occurred

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Sifted:
    """The events that count, by number, with ids as the ratings have them; the users to forget; what was left out.

    `rows` has the columns of `Recorded`. `left_out` counts events by reason.
    """

    rows: pd.DataFrame
    forgotten: npt.NDArray[Any]
    left_out: dict[str, int]

    @property
    def figures(self) -> dict[str, int]:
        """How many events count, how many don't by reason, and how many users are forgotten."""
        return {"used": len(self.rows), **self.left_out, "forgotten_users": len(self.forgotten)}


def sift(events: pd.DataFrame, numeric_users: bool, item_ids: npt.NDArray[Any]) -> Sifted:
    """Keep events of possible users about known items, at most 500 of a user and day, with possible times.

    `numeric_users`: the users of the ratings are int64, so that a user with another id can't be among them.
    `item_ids` are all items of the catalogue.
    """
    left_out: dict[str, int] = {}

    def keep(rows: pd.DataFrame, chosen: Flags, reason: str) -> pd.DataFrame:
        left_out[reason] = int((~chosen).sum())
        return rows[chosen]

    to_user = as_number if numeric_users else _as_text
    items = dict(zip(item_ids.astype(str).tolist(), item_ids.tolist(), strict=True))
    rows = events.assign(**{USER_ID: _converted(events[USER_ID], to_user)})
    rows = keep(rows, rows[USER_ID].notna().to_numpy(), "impossible_user_ids")
    is_forget = (rows[TYPE] == FORGET).to_numpy()
    forgotten, rows = rows[USER_ID][is_forget].unique(), rows[~is_forget]
    rows = rows.assign(**{ITEM_ID: _converted(rows[ITEM_ID], items.get)})
    rows = keep(rows, rows[ITEM_ID].notna().to_numpy(), "unknown_items")
    rows = keep(rows, _nth_of_the_day(rows) < MOST_PER_DAY, "more_than_500_a_day")
    times = rows[OCCURRED].clip(rows[RECEIVED] - OLDEST, rows[RECEIVED])
    rows = rows.assign(**{OCCURRED: times}).astype({USER_ID: "int64" if numeric_users else object})
    return Sifted(rows.astype({ITEM_ID: item_ids.dtype if item_ids.dtype.kind == "i" else object}), forgotten, left_out)


def _as_text(user_id: str) -> str | None:
    return user_id if 0 < len(user_id) <= LONGEST and "\0" not in user_id else None


def _converted(column: "pd.Series[Any]", convert: Callable[[str], Any]) -> "pd.Series[Any]":
    """Each id as `convert` makes it, None where it can't; every different id is looked at once."""
    distinct = column.unique()
    made = pd.Series([convert(text) for text in distinct], index=distinct, dtype=object)
    return pd.Series(made.reindex(column).to_numpy(), index=column.index, dtype=object)


def _nth_of_the_day(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """How many events of the same user and day arrived before each."""
    days = (rows[RECEIVED] // DAY).rename("day")
    return np.asarray(rows.groupby([rows[USER_ID], days]).cumcount(), dtype=np.int64)
