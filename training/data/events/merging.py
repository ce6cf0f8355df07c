"""Merges events with the ratings: the last event about a user and an item counts, and overrides a rating."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.events import EventTypes, Meaning
from training.data.dataset import ITEM_ID, POSITIVE, RATING, TIMESTAMP, USER_ID, WEIGHT
from training.data.events.files import OCCURRED, TYPE
from training.data.events.sifting import Sifted


def merge(ratings: pd.DataFrame, events: Sifted, types: EventTypes) -> pd.DataFrame:
    """Return the ratings with what the events change, in no particular order of rows.

    `ratings` has user_id, item_id, rating, timestamp and positive, and one row for each user and item. What `types`
    call liked is a positive. Anything else is a row that is no positive: the item is seen, and models don't learn from
    it. Where some types count less, there is a column of weights, too. A retracted pair vanishes, and so do all rows of
    a forgotten user.
    """
    pair = [USER_ID, ITEM_ID]
    last = events.rows[~events.rows.duplicated(pair, keep="last")]
    said, stars = meanings(last, types), _by_kind(last, types.stars)
    base = ratings[~ratings[USER_ID].isin(events.forgotten)]
    base = base[~_among(base, last)]
    new = pd.DataFrame(
        {
            USER_ID: last[USER_ID],
            ITEM_ID: last[ITEM_ID],
            RATING: stars,
            TIMESTAMP: last[OCCURRED],
            POSITIVE: said == Meaning.LIKED,
            **({WEIGHT: _by_kind(last, types.weight)} if types.weighs else {}),
        }
    )
    merged: pd.DataFrame = pd.concat([base, new[said != Meaning.NOTHING]], ignore_index=True)
    return merged.fillna({WEIGHT: 1}) if types.weighs else merged


def meanings(events: pd.DataFrame, types: EventTypes) -> npt.NDArray[np.int8]:
    """Compute the `Meaning` of each event: int8 (n_events,)."""
    return _by_kind(events, types.meaning).astype(np.int8)


def _by_kind(events: pd.DataFrame, compute: Callable[[str, float | None], float | None]) -> npt.NDArray[np.float32]:
    """What `compute` gives for the type and value of each event, NaN for None; computed once for equal ones."""
    if events.empty:  # pandas 2, which Python 3.10 has, can't number the kinds of nothing
        return np.zeros(0, dtype=np.float32)
    kinds, distinct = pd.MultiIndex.from_frame(events[[TYPE, "value"]]).factorize()
    of_kind = [compute(kind, None if np.isnan(value) else value) for kind, value in distinct]
    of_event: npt.NDArray[np.float32] = np.array(of_kind, dtype=np.float32)[kinds]
    return of_event


def _among(ratings: pd.DataFrame, events: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which ratings have an event about the same user and item."""
    found = np.zeros(len(ratings), dtype=bool)
    candidates = np.flatnonzero(ratings[USER_ID].isin(events[USER_ID]))
    pairs = pd.MultiIndex.from_frame(ratings.iloc[candidates][[USER_ID, ITEM_ID]])
    found[candidates] = pairs.isin(pd.MultiIndex.from_frame(events[[USER_ID, ITEM_ID]]))
    return found
