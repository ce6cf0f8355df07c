"""What people were shown in some days, and what they said of it."""

from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Integer, column, func, select, table
from sqlalchemy import cast as sql_cast

from app.contract.events import FORGET, EventTypes
from app.contract.recommendation_id import read_id
from training.data.events.snapshot import Snapshot
from training.trials.attribution import LIST, WITHIN_DAYS, judged
from training.trials.records import DAY, USER, events_since

ITEM, RANK, PLACEMENT, SOURCE, SHOWN_ON, VERSION = "item_id", "rank", "placement", "source", "day", "version"
ODDS, AMONG, MADE = "odds", "among", "made"
CLICKED, LIKED = "clicked", "liked"
CLICK = "click"
MOST_LISTS = 10  # of a user and day that count
MOST_FILMS = 200  # of these lists, which may be of any length
ROBOT_LISTS = 200  # of a user and day: no person looks at so many
_COLUMNS = (SHOWN_ON, LIST, ITEM, USER, RANK, PLACEMENT, SOURCE, ODDS, AMONG)
_IMPRESSION = table("impression", *map(column, _COLUMNS))
_EXPOSED = ("day", USER, VERSION, "lists", "films")
_EXPOSURE = table("exposure", *map(column, _EXPOSED))


@dataclass(frozen=True)
class Shown:
    """What was shown from a day to another, both included, as far as it counts.

    `items` has a row for each item of a list that was on a screen: user_id, recommendation_id, item_id, rank,
    placement, source, odds, among (as stored), day (ISO 8601), version, made (seconds since 1970), and whether its user
    clicked and liked it. Where nothing tells what was
    on screens, it is empty, and `lists` has a row for each user, day and version of a trial: lists, shown, clicks,
    successes, good lists. `left_out` says what does not count.
    """

    items: pd.DataFrame
    lists: pd.DataFrame
    left_out: dict[str, int]


def read_shown(store: Snapshot, first: date, last: date, kinds: tuple[str, ...], types: EventTypes) -> Shown:
    """Read what was shown; `kinds` are the types of events that are a success."""
    start = datetime(first.year, first.month, first.day, tzinfo=timezone.utc).timestamp()
    events = events_since(store, start)
    events = events[events["occurred_at"] < start + ((last - first).days + 1 + WITHIN_DAYS) * DAY]
    items = _items(store.connection, first, last)
    items = items[~items[USER].isin(events[USER][events["type"] == FORGET])]
    said = _said(events, kinds, types)
    if items.empty:
        return Shown(items, _lists(store.connection, first, last, said), {})
    items, left_out = _without_robots(items)
    merged = items.merge(said, on=[USER, LIST, ITEM], how="left").fillna({CLICKED: False, LIKED: False})
    return Shown(merged.astype({CLICKED: bool, LIKED: bool}), pd.DataFrame(), left_out)


def _items(connection: Connection, first: date, last: date) -> pd.DataFrame:
    shown = _IMPRESSION.c[SHOWN_ON]
    order = shown, _IMPRESSION.c[LIST], _IMPRESSION.c[RANK]
    query = select(_IMPRESSION).where(_within(connection, shown, first, last)).order_by(*order)
    found = pd.DataFrame(connection.execute(query).all(), columns=list(_COLUMNS))
    names = {name: read_id(name) for name in found[LIST].unique()}
    versions = {name: "" if each is None else each.version for name, each in names.items()}
    made = {name: 0 if each is None else each.time for name, each in names.items()}
    days = found[SHOWN_ON].astype(str)
    return found.assign(**{SHOWN_ON: days, VERSION: found[LIST].map(versions), MADE: found[LIST].map(made)})


def _within(connection: Connection, day: ColumnElement[Any], first: date, last: date) -> ColumnElement[bool]:
    """Whether a day is one of those from one to another; SQLite keeps days as texts."""
    if connection.dialect.name == "sqlite":
        return day.between(first.isoformat(), last.isoformat())
    return day.between(first, last)


def _said(events: pd.DataFrame, kinds: tuple[str, ...], types: EventTypes) -> pd.DataFrame:
    """Whether a user clicked an item of a list, and liked it by their last word: a row for each of which they spoke."""
    keys = [USER, LIST, ITEM]
    named = events[events[LIST].notna()]
    liked = judged(named, kinds, types).drop_duplicates(keys, keep="last")[[*keys, "good"]]
    clicked = named[named["type"] == CLICK].drop_duplicates(keys)[keys].assign(**{CLICKED: True})
    both = liked.rename(columns={"good": LIKED}).merge(clicked, on=keys, how="outer")
    return both.fillna({CLICKED: False, LIKED: False}).astype({CLICKED: bool, LIKED: bool})


def _without_robots(items: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Of each user and day the first films of the first ten lists; nothing of who was shown more than a person sees."""
    lists = items.drop_duplicates([USER, SHOWN_ON, LIST])
    order = lists.sort_values(MADE, kind="stable")
    place = order.groupby([USER, SHOWN_ON]).cumcount()
    robots = order[USER][place >= ROBOT_LISTS].unique()
    is_person = ~order[USER].isin(robots)
    kept = order[is_person & (place < MOST_LISTS)]
    found = items[items[LIST].isin(kept[LIST])].sort_values([MADE, LIST, RANK], kind="stable")
    is_first = found.groupby([USER, SHOWN_ON]).cumcount() < MOST_FILMS
    left_out = {
        f"people with more than {ROBOT_LISTS} lists a day": len(robots),
        f"lists beyond {MOST_LISTS} of a person and day": int(is_person.sum()) - len(kept),
        f"films beyond {MOST_FILMS} of a person and day": int((~is_first).sum()),
    }
    return found[is_first], left_out


def _lists(connection: Connection, first: date, last: date, said: pd.DataFrame) -> pd.DataFrame:
    """The lists that were answered in trials, and what was said of those of each user, day and version."""
    shown, keys = _EXPOSURE.c["day"], [USER, SHOWN_ON, VERSION]
    sums = [sql_cast(func.sum(_EXPOSURE.c[name]), Integer) for name in ("lists", "films")]
    columns = [_EXPOSURE.c[name] for name in (USER, "day", VERSION)]
    query = select(*columns, *sums).where(_within(connection, shown, first, last)).group_by(*columns)
    lists = pd.DataFrame(connection.execute(query).all(), columns=[*keys, "lists", "shown"])
    lists[SHOWN_ON] = lists[SHOWN_ON].astype(str)
    capped = lists["lists"].clip(upper=MOST_LISTS)
    lists = lists.assign(lists=capped, shown=lists["shown"] * capped // lists["lists"].clip(lower=1))
    found = lists.merge(_counted(said), on=keys, how="left").fillna(0)
    return found.assign(good=np.minimum(found["good"], found["lists"]))


def _counted(said: pd.DataFrame) -> pd.DataFrame:
    """What was said of lists, by user, day and version of the list."""
    read = [read_id(name) for name in said[LIST]]
    days = [
        None if each is None else datetime.fromtimestamp(each.time, timezone.utc).date().isoformat() for each in read
    ]
    versions = [None if each is None else each.version for each in read]
    named = said.assign(**{SHOWN_ON: pd.Series(days, said.index), VERSION: pd.Series(versions, said.index)}).dropna(
        subset=[VERSION]
    )
    liked = named[named[LIKED]]
    keys = [USER, SHOWN_ON, VERSION]
    return pd.DataFrame(
        {
            "clicks": named.groupby(keys)[CLICKED].sum(),
            "successes": named.groupby(keys)[LIKED].sum(),
            "good": liked.groupby(keys)[LIST].nunique(),
        }
    ).reset_index()
