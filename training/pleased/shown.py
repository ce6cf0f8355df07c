"""What people were shown in some days, and what they said of it."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, column, inspect, select, table

from app.contract.events import FORGET, EventTypes
from app.contract.placement_trial import PlacementTrial
from app.contract.recommendation_id import read_id
from training.data.events.snapshot import Snapshot
from training.trials.attribution import LIST, WITHIN_DAYS, judged
from training.trials.placements import placement_of, placement_trials
from training.trials.records import DAY, USER, events_since

ITEM, RANK, PLACEMENT, SOURCE, SHOWN_ON, VERSION = "item_id", "rank", "placement", "source", "day", "version"
ODDS, AMONG, MADE = "odds", "among", "made"
CLICKED, LIKED = "clicked", "liked"
ANSWERED, SHARE = "answered", "share"
CLICK = "click"
MOST_LISTS = 10  # of a user and day that count; of a sample, its share of them
MOST_FILMS = 200  # of these lists, which may be of any length
ROBOT_LISTS = 200  # of a user and day: no person looks at so many; of a sample, its share of them, but not one or two
FEWEST = 2
PART = 50_000  # rows
_COLUMNS = (SHOWN_ON, LIST, ITEM, USER, RANK, PLACEMENT, SOURCE, ODDS, AMONG)
_IMPRESSION = table("impression", *map(column, _COLUMNS))
_OF_ANSWERS = (SHOWN_ON, LIST, "item_ids", USER, RANK, PLACEMENT, SOURCE, SHARE)
_ANSWER = table("answer", *map(column, _OF_ANSWERS))


@dataclass(frozen=True)
class Shown:
    """What was shown from a day to another, both included, as far as it counts.

    `items` has a row for each item of a list that was on a screen: user_id, recommendation_id, item_id, rank,
    placement, source, odds, among (as stored), day (ISO 8601), version, made (seconds since 1970), and whether its user
    clicked and liked it. Of days and sources where nothing tells what was on screens, it has the items of answered
    lists: `answered` says so, and `share` is that of the lists which are kept; 1 for all others. `left_out` says what
    does not count.
    """

    items: pd.DataFrame
    left_out: dict[str, int]


def read_shown(store: Snapshot, first: date, last: date, kinds: tuple[str, ...], types: EventTypes) -> Shown:
    """Read what was shown; `kinds` are the types of events that are a success."""
    days, left_out = [*read_days(store, first, last, kinds, types)], Counter[str]()
    for each in days:
        left_out.update(each.left_out)
    return Shown(_joined([each.items for each in days]), dict(left_out))


def read_days(store: Snapshot, first: date, last: date, kinds: tuple[str, ...], types: EventTypes) -> Iterator[Shown]:
    """Read it day by day: of a large service a day fits into memory, and a week does not."""
    start = datetime(first.year, first.month, first.day, tzinfo=timezone.utc).timestamp()
    events = events_since(store, start)
    events = events[events["occurred_at"] < start + ((last - first).days + 1 + WITHIN_DAYS) * DAY]
    gone, said = events[USER][events["type"] == FORGET].unique(), _said(events, kinds, types)
    ever = placement_trials(store).ever
    for number in range((last - first).days + 1):
        day = first + timedelta(number)
        on_screens = _items(store.connection, day)
        items = _made(_joined([on_screens, _unseen(_answers(store.connection, day), on_screens)]), ever)
        items, left_out = _without_robots(items[~items[USER].isin(gone)])
        yield Shown(_with_flags(items.merge(said, on=[USER, LIST, ITEM], how="left")), left_out)


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One after the other; pandas 2 warns where some are empty."""
    return pd.concat([each for each in frames if len(each)] or [frames[0]], ignore_index=True)


def _items(connection: Connection, day: date) -> pd.DataFrame:
    query = select(_IMPRESSION).where(_is_of(connection, _IMPRESSION.c[SHOWN_ON], day))
    found = _read(connection, query.order_by(_IMPRESSION.c[LIST], _IMPRESSION.c[RANK]), _COLUMNS)
    return found.assign(**{SHOWN_ON: found[SHOWN_ON].astype(str)}).assign(**{ANSWERED: False, SHARE: 1.0})


def _answers(connection: Connection, day: date) -> pd.DataFrame:
    """The items of answered lists, as far as they are kept; a store of an earlier release keeps none."""
    if not inspect(connection).has_table(_ANSWER.name):
        return pd.DataFrame(columns=[*_COLUMNS, ANSWERED, SHARE])
    query = select(_ANSWER).where(_is_of(connection, _ANSWER.c[SHOWN_ON], day)).order_by(_ANSWER.c[LIST])
    lists = _read(connection, query, _OF_ANSWERS).rename(columns={"item_ids": ITEM})
    found = lists.assign(**{ITEM: lists[ITEM].map(json.loads)}).explode(ITEM)
    ranks = found[RANK] + found.groupby(level=0).cumcount()
    found = found.assign(**{SHOWN_ON: found[SHOWN_ON].astype(str), RANK: ranks})
    return found.assign(**{ANSWERED: True}).assign(**dict.fromkeys((ODDS, AMONG)))


def _unseen(answers: pd.DataFrame, on_screens: pd.DataFrame) -> pd.DataFrame:
    """The answers of days and sources of which nothing tells what was on screens; without a source it may be of any."""
    told = set(zip(on_screens[SHOWN_ON], on_screens[SOURCE].fillna(""), strict=True))
    named = zip(answers[SHOWN_ON], answers[SOURCE], strict=True)
    is_told = [bool({(day, source), (day, "")} & told) for day, source in named]
    return answers[~np.array(is_told, dtype=bool)]


def _made(items: pd.DataFrame, trials: Sequence[PlacementTrial]) -> pd.DataFrame:
    """With the version of each list, when it was made, and in a trial by which placement, whatever the client says."""
    names = {name: read_id(name) for name in items[LIST].unique()}
    versions = {name: "" if each is None else each.version for name, each in names.items()}
    made = {name: 0 if each is None else each.time for name, each in names.items()}
    users = items.drop_duplicates(LIST).set_index(LIST)[USER]
    placed = {name: placement_of(each, users[name], trials) for name, each in names.items() if each is not None}
    placements = [placed.get(name) or said for name, said in zip(items[LIST], items[PLACEMENT], strict=True)]
    found = {VERSION: items[LIST].map(versions), MADE: items[LIST].map(made)}
    return items.assign(**found, **{PLACEMENT: pd.Series(placements, index=items.index, dtype=object)})


def _read(connection: Connection, query: Select[Any], columns: Sequence[str]) -> pd.DataFrame:
    """The rows in parts: as objects of Python they take several times the memory of a frame."""
    found = connection.execute(query.execution_options(stream_results=True))
    frames = [pd.DataFrame(rows, columns=[*columns]) for rows in found.partitions(PART)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*columns])


def _is_of(connection: Connection, column: ColumnElement[Any], day: date) -> ColumnElement[bool]:
    """Whether a column is of a day, which SQLite keeps as a text."""
    return column == (day.isoformat() if connection.dialect.name == "sqlite" else day)


def _said(events: pd.DataFrame, kinds: tuple[str, ...], types: EventTypes) -> pd.DataFrame:
    """Whether a user clicked an item of a list, and liked it by their last word: a row for each of which they spoke."""
    keys = [USER, LIST, ITEM]
    named = events[events[LIST].notna()]
    liked = judged(named, kinds, types).drop_duplicates(keys, keep="last")[[*keys, "good"]]
    clicked = named[named["type"] == CLICK].drop_duplicates(keys)[keys].assign(**{CLICKED: True})
    return _with_flags(liked.rename(columns={"good": LIKED}).merge(clicked, on=keys, how="outer"))


def _with_flags(found: pd.DataFrame) -> pd.DataFrame:
    """Have False where nothing was said; pandas 2 warns where `fillna` makes it of objects."""
    return found.assign(**{name: found[name].eq(True) for name in (CLICKED, LIKED)})


def _without_robots(items: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Of each user and day the first films of the first ten lists; nothing of who was shown more than a person sees."""
    lists = items.drop_duplicates([USER, SHOWN_ON, LIST])
    order = lists.sort_values(MADE, kind="stable")
    place = order.groupby([USER, SHOWN_ON]).cumcount()
    robots = order[USER][place >= _of_sample(ROBOT_LISTS, order[SHARE]).clip(lower=FEWEST)].unique()
    is_person = ~order[USER].isin(robots)
    kept = order[is_person & (place < _of_sample(MOST_LISTS, order[SHARE]))]
    found = items[items[LIST].isin(kept[LIST])].sort_values([MADE, LIST, RANK], kind="stable")
    is_first = found.groupby([USER, SHOWN_ON]).cumcount() < MOST_FILMS
    left_out = {
        f"people with more than {ROBOT_LISTS} lists a day": len(robots),
        f"lists beyond {MOST_LISTS} of a person and day": int(is_person.sum()) - len(kept),
        f"films beyond {MOST_FILMS} of a person and day": int((~is_first).sum()),
    }
    return found[is_first], left_out


def _of_sample(most: int, share: pd.Series) -> pd.Series:
    """How many of so many lists a sample holds, rounded up."""
    return pd.Series(np.ceil((most * share.astype(float)).round(6)), share.index)
