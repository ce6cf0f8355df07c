"""Merges events with the ratings: the last event about a user and an item counts, and goes before a rating."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.events import RULES, Meaning, meaning
from training.data.dataset import ITEM_ID, POSITIVE, RATING, TIMESTAMP, USER_ID
from training.data.events.files import OCCURRED, TYPE
from training.data.events.sifting import Sifted

STARS = {event_type: rule.stars for event_type, rule in RULES.items() if rule.stars is not None}


def merge(ratings: pd.DataFrame, events: Sifted, min_rating: float | None) -> pd.DataFrame:
    """Return the ratings with what the events change, in no particular order of rows.

    `ratings` has user_id, item_id, rating, timestamp and positive, and one row for each user and item. A like, or a
    rating of at least `min_rating` stars, is a positive. Anything else is a row that is no positive: the item is seen,
    and models don't learn from it. A retracted pair vanishes, and so do all rows of a forgotten user.
    """
    pair = [USER_ID, ITEM_ID]
    last = events.rows[~events.rows.duplicated(pair, keep="last")]
    said = meanings(last, min_rating)
    base = ratings[~ratings[USER_ID].isin(events.forgotten)]
    base = base[~_among(base, last)]
    new = pd.DataFrame(
        {
            USER_ID: last[USER_ID],
            ITEM_ID: last[ITEM_ID],
            RATING: last[TYPE].map(STARS).fillna(last["value"]).astype(np.float32),
            TIMESTAMP: last[OCCURRED],
            POSITIVE: said == Meaning.LIKED,
        }
    )
    merged: pd.DataFrame = pd.concat([base, new[said != Meaning.NOTHING]], ignore_index=True)
    return merged


def meanings(events: pd.DataFrame, min_rating: float | None) -> npt.NDArray[np.int8]:
    """Compute the `Meaning` of each event where ratings of at least `min_rating` are positives: int8 (n_events,)."""
    if events.empty:  # pandas 2, which Python 3.10 has, can't number the kinds of nothing
        return np.zeros(0, dtype=np.int8)
    kinds, distinct = pd.MultiIndex.from_frame(events[[TYPE, "value"]]).factorize()
    of_kind = [meaning(kind, None if np.isnan(stars) else stars, min_rating) for kind, stars in distinct]
    of_event: npt.NDArray[np.int8] = np.array(of_kind, dtype=np.int8)[kinds]
    return of_event


def _among(ratings: pd.DataFrame, events: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which ratings have an event about the same user and item."""
    found = np.zeros(len(ratings), dtype=bool)
    candidates = np.flatnonzero(ratings[USER_ID].isin(events[USER_ID]))
    pairs = pd.MultiIndex.from_frame(ratings.iloc[candidates][[USER_ID, ITEM_ID]])
    found[candidates] = pairs.isin(pd.MultiIndex.from_frame(events[[USER_ID, ITEM_ID]]))
    return found
