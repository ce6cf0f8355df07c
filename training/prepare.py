"""The `prepare` stage: turns raw ratings into splits by internal id, the catalogue and item features."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.events import EventTypes
from training.data.catalogue_files import catalogue_of, unread, write_features
from training.data.changes import merge_changes, read_changes
from training.data.dataset import (
    HELD_OUT,
    ITEM,
    ITEM_ID,
    POSITIVE,
    RATING,
    SPLITS,
    TIMESTAMP,
    USER,
    USER_ID,
    WEIGHT,
    WEIGHTS_FILE,
    as_ids,
)
from training.data.events.files import Recorded, read_events
from training.data.events.merging import merge
from training.data.events.sifting import Sifted, sift
from training.data.figures import NO_STARS, figures_of, none_left, refuse_empty, summary
from training.data.people import write_people
from training.data.provenance import Provenance, write_provenance
from training.data.raw import read_items, read_ratings, read_users
from training.data.split import split_rows
from training.errors import DataError, ParamsError
from training.files import replacing, write_json
from training.params.prepare import PrepareParams, PrepareStage


def prepare(stage: PrepareStage, raw: Path, prepared: Path, stats: Path, events: Path | None = None) -> str:
    """Write the splits, ids, catalogue and features into `prepared`, and figures about them to `stats`.

    `events` is the folder of what users have said to the service. Returns what was made, in a sentence. Raises
    DataError where a file is wrong or nothing is left to train on.
    """
    params, columns = stage.prepare, stage.catalogue.items
    read = read_ratings(raw)
    items, people = read_items(raw, columns), read_users(raw, stage.catalogue.users)
    changes = {} if events is None else read_changes(events)
    if params.text_user_ids:
        read[USER_ID] = read[USER_ID].astype(str).astype(object)
    if HELD_OUT in read:
        _refuse_filters(params)
    recorded = None if events is None else read_events(events)
    changed: dict[str, Any] = {}
    if changes:
        items, changed = merge_changes(catalogue_of(read if items is None else items, columns), changes, columns)
    rated = _with_positives(_latest(read), params)
    sifted = None if recorded is None else _sifted(recorded, read, items)
    if sifted is not None:
        rated = _by_time(merge(rated, sifted, EventTypes(stage.events.types, params.min_rating)))
    ratings = _frequent(rated, params)
    users = pd.DataFrame({USER_ID: np.sort(ratings[USER_ID].unique())})
    items = catalogue_of(ratings if items is None else items, columns)
    rows = _by_internal_id(ratings, users, items)
    split = split_rows(rows, params.split, np.random.default_rng(stage.seed))
    kept = [USER, ITEM, RATING, TIMESTAMP, POSITIVE]
    frames = {name: rows.loc[split == number, kept] for number, name in enumerate(SPLITS)}
    positives = {name: int(frame[POSITIVE].sum()) for name, frame in frames.items()}
    refuse_empty(positives, float(rows[RATING].max()), params)
    figures = figures_of(
        len(users), len(items), rows[ITEM].nunique(), len(rows), positives, None if sifted is None else sifted.figures
    )
    figures |= {"catalogue": changed} if changed else {}
    with replacing(prepared) as partial:
        partial.mkdir()
        for name, frame in {**frames, "users": users, "items": items}.items():
            frame.to_parquet(partial / f"{name}.parquet", index=False)
        if WEIGHT in rows:
            lighter = rows.loc[rows[POSITIVE] & (rows[WEIGHT] < 1), [USER, ITEM, WEIGHT]]
            lighter.to_parquet(partial / WEIGHTS_FILE, index=False)
        write_features(partial, items, stage)
        if people is not None:
            forgotten = np.array([]) if sifted is None else sifted.forgotten
            write_people(partial, people, users[USER_ID], forgotten, stage.catalogue.users, stage.seed)
        write_provenance(
            partial, Provenance(params.min_rating, recorded.learned if recorded else None, stage.events.types)
        )
    if HELD_OUT in rows:
        figures |= {"given_split": _given_stats(read, rows)}
    write_json(stats, figures)
    return summary(figures) + unread(raw, stage.catalogue)


def _latest(ratings: pd.DataFrame) -> pd.DataFrame:
    """Sort ratings by user and time; keep a user's last rating of an item (in each part, if the split is given)."""
    if TIMESTAMP not in ratings:
        ratings = ratings.assign(**{TIMESTAMP: np.int64(0)})
    ratings = _by_time(ratings)
    pair = [name for name in (USER_ID, ITEM_ID, HELD_OUT) if name in ratings]
    return ratings[~ratings.duplicated(pair, keep="last")]


def _by_time(ratings: pd.DataFrame) -> pd.DataFrame:
    """Sort ratings by user and time; those of one time stay in their order."""
    return ratings.iloc[np.lexsort((ratings[TIMESTAMP], ratings[USER_ID].factorize()[0]))]


def _with_positives(ratings: pd.DataFrame, params: PrepareParams) -> pd.DataFrame:
    """Mark the positives among the ratings."""
    stars = ratings[RATING].to_numpy()
    if params.min_rating is None:
        return ratings.assign(**{POSITIVE: True})
    if np.isnan(stars).any():
        raise DataError(NO_STARS)
    return ratings.assign(**{POSITIVE: stars >= params.min_rating})


def _sifted(recorded: Recorded, ratings: pd.DataFrame, items: pd.DataFrame | None) -> Sifted:
    """The events that can join these ratings."""
    if HELD_OUT in ratings:
        raise DataError(
            f"{len(recorded.rows):,} events would change a split that is given: set fetch.events to false in "
            "params.yaml, or choose another fetch.source"
        )
    item_ids = as_ids(items[ITEM_ID]) if items is not None else np.unique(as_ids(ratings[ITEM_ID]))
    return sift(recorded.rows, ratings[USER_ID].dtype == np.int64, item_ids)


def _refuse_filters(params: PrepareParams) -> None:
    """Refuse to filter a given split, whose figures would no longer compare."""
    for name, least in (("min_user_ratings", params.min_user_ratings), ("min_item_ratings", params.min_item_ratings)):
        if least > 1:
            raise ParamsError(
                f"prepare.{name} {least} would change a split that is given: set it to 1 in params.yaml, or choose "
                "another fetch.source"
            )


def _frequent(ratings: pd.DataFrame, params: PrepareParams) -> pd.DataFrame:
    """Keep ratings of users and items with enough of them; repeat, as dropping one can make another too rare."""
    before = len(ratings)
    while len(ratings):
        rare = np.zeros(len(ratings), dtype=bool)
        for column, least in ((USER_ID, params.min_user_ratings), (ITEM_ID, params.min_item_ratings)):
            if least > 1:
                rare |= (ratings.groupby(column)[column].transform("size") < least).to_numpy()
        if not rare.any():
            return ratings
        ratings = ratings[~rare]
    raise none_left(before, params)


def _by_internal_id(ratings: pd.DataFrame, users: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    places = {USER: _positions(users[USER_ID], ratings[USER_ID]), ITEM: _positions(items[ITEM_ID], ratings[ITEM_ID])}
    kept = [name for name in (RATING, TIMESTAMP, POSITIVE, HELD_OUT, WEIGHT) if name in ratings]
    return ratings[kept].reset_index(drop=True).assign(**places).sort_values(USER, kind="stable")


def _positions(ids: "pd.Series[Any]", values: "pd.Series[Any]") -> npt.NDArray[np.int32]:
    positions: npt.NDArray[np.int32] = pd.Index(ids).get_indexer(pd.Index(values)).astype(np.int32)
    return positions


def _given_stats(read: pd.DataFrame, rows: pd.DataFrame) -> dict[str, int]:
    """Count what a given split holds that can't be measured; published figures may treat it differently."""
    unknown = rows[HELD_OUT] & ~rows[USER].isin(rows[USER][~rows[HELD_OUT]])
    return {
        "repeated_pairs": len(read) - len(rows),
        "pairs_in_both": int(rows.duplicated([USER, ITEM]).sum()),
        "test_users_unknown": int(rows[USER][unknown].nunique()),
        "test_pairs_unknown": int(unknown.sum()),
    }
