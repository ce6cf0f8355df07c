"""Six checks of the data and the lists of a new version, each made against the live version or against the clock.

A check that can't be made passes and says why: no live version, one without figures, no events.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.data.dataset import ITEM_ID, POSITIVE, USER_ID
from training.data.events.files import POSITION, RECEIVED
from training.data.events.sifting import DAY
from training.params.register import ChecksParams
from training.promotion.data_figures import DataFigures
from training.promotion.event_log import EventLog
from training.promotion.lists import coverage, overlap

HOUR = 3600
USUAL_DAYS = 14
NO_EVENTS = "there are no events"


@dataclass(frozen=True)
class Check:
    """The outcome of a check, and what was found in one sentence."""

    name: str
    passed: bool
    sentence: str


def check_films(events: EventLog | None, live: str | None, others: bool, source: str) -> Check:
    """Check that events are not about other films than the data, `others` than those of the `live` version."""
    if live is None:
        return Check("films", True, "films are not compared: there is no live version")
    if not others:
        return Check("films", True, f"ids mean the films that they mean in live version {live}")
    begins = f"live version {live} recommends other films, so nothing is compared with it"
    if events is None or events.rows.empty:
        return Check("films", True, begins)
    aside = f"set it aside by python -m training source {source}"
    return Check("films", False, f"{begins}; what people have said is about those: {aside}")


def check_size(now: DataFigures, live: DataFigures | None, params: ChecksParams) -> Check:
    """Check that no more than a small share of users, items or ratings is gone."""
    if live is None:
        return Check("size", True, "sizes are not compared: no live version has figures of such data")
    sizes = {name: (getattr(now, name), getattr(live, name)) for name in ("users", "items", "ratings")}
    shrunk = {name for name, (ours, theirs) in sizes.items() if ours < params.least_size * theirs}
    text = ", ".join(
        f"{ours:,} {name} after {theirs:,}" for name, (ours, theirs) in sizes.items() if name in shrunk or not shrunk
    )
    if shrunk:
        return Check("size", False, f"the data shrank: {text}, less than {params.least_size:.0%}")
    return Check("size", True, f"nothing shrank: {text}")


def check_freshness(events: EventLog | None, time: float, params: ChecksParams) -> Check:
    """Check that events go on coming in, about as many as usual; `time` is in seconds since 1970."""
    if events is None or events.rows.empty:
        return Check("freshness", True, NO_EVENTS)
    ages = time - events.rows[RECEIVED].to_numpy()
    newest = f"the newest event is {ages.min() / HOUR:.1f} hours old"
    if params.max_age_hours is not None and ages.min() > params.max_age_hours * HOUR:
        return Check("freshness", False, f"{newest}, more than {params.max_age_hours:g}: do events still come in?")
    per_day = np.bincount((ages // DAY).clip(0).astype(int), minlength=USUAL_DAYS + 1)
    if ages.max() < USUAL_DAYS * DAY or not (usual := float(np.median(per_day[1 : USUAL_DAYS + 1]))):
        return Check(
            "freshness", True, f"{newest}; {USUAL_DAYS} days of events, which tell the usual volume, are missing"
        )
    volume = f"{per_day[0]:,} events in the last 24 hours, after {usual:,.0f} a day in the {USUAL_DAYS} days before"
    if not usual / params.max_volume_factor <= per_day[0] <= usual * params.max_volume_factor:
        return Check("freshness", False, f"{volume}: not within a factor of {params.max_volume_factor:g}")
    return Check("freshness", True, f"{newest}; {volume}")


def check_floods(events: EventLog | None, live: DataFigures | None, params: ChecksParams) -> Check:
    """Check that no user and no item dominates the positives that the live version doesn't know."""
    if events is None:
        return Check("floods", True, NO_EVENTS)
    known = live.until if live is not None and live.store == events.store else 0
    new = events.rows[events.rows[POSITIVE] & (events.rows[POSITION] > known)]
    if new.empty:
        return Check("floods", True, "there are no new positives among the events")
    limits = {USER_ID: ("a user", params.max_user_share), ITEM_ID: ("an item", params.max_item_share)}
    found = []
    for column, (name, limit) in limits.items():
        most = int(new[column].value_counts().iloc[0])
        if most > limit * len(new) and most >= params.flood_from:
            found.append(f"{name} has {most:,} of the {len(new):,} new positives, more than {limit:.0%}")
    if found:
        return Check("floods", False, f"{' and '.join(found)}: is that a person's doing?")
    return Check("floods", True, f"no user and no item dominates the {len(new):,} new positives")


def check_shares(now: DataFigures, live: DataFigures | None, params: ChecksParams) -> Check:
    """Check that the share of positives, and that of each type of event, is as it was."""
    if live is None:
        return Check("shares", True, "shares are not compared: no live version has figures of such data")
    changes = {"positives": (now.positives, live.positives)}
    if now.event_types and live.event_types:
        for kind in sorted({*now.event_types, *live.event_types}):
            changes[kind] = (now.event_types.get(kind, 0.0), live.event_types.get(kind, 0.0))
    strange = {name for name, (ours, theirs) in changes.items() if abs(ours - theirs) > params.max_share_change}
    text = ", ".join(
        f"{name} {ours:.0%} after {theirs:.0%}"
        for name, (ours, theirs) in changes.items()
        if name in strange or not strange
    )
    if strange:
        points = 100 * params.max_share_change
        return Check("shares", False, f"shares moved by more than {points:g} points: {text}")
    return Check("shares", True, f"shares are as they were: {text}")


@dataclass(frozen=True)
class ListPair:
    """The lists of the live version, and those that the new one gives to the same users; the sizes of the catalogues.

    `same_recipe`: both versions are of one recipe, so that their lists should be much alike.
    """

    ours: pd.DataFrame
    theirs: pd.DataFrame
    our_items: int
    their_items: int
    same_recipe: bool


def check_lists(lists: ListPair | None, params: ChecksParams) -> Check:
    """Check that lists resemble those of the live version, and show not much less of the catalogue.

    Another recipe may well give other lists: there the overlap is only said, since the gate compares the quality.
    """
    if lists is None:
        return Check("lists", True, "lists are not compared: no live version has kept any of these films")
    shared = overlap(lists.ours, lists.theirs)
    ours, theirs = coverage(lists.ours, lists.our_items), coverage(lists.theirs, lists.their_items)
    text = (
        f"lists of {len(lists.theirs):,} users share {shared:.0%} of their films with the live version's and show "
        f"{ours:.0%} of the catalogue after {theirs:.0%}"
    )
    if lists.same_recipe and shared < params.least_overlap:
        return Check("lists", False, f"{text}: less than {params.least_overlap:.0%} in common, of one recipe")
    if ours < params.least_coverage * theirs:
        return Check("lists", False, f"{text}: less than {params.least_coverage:.0%} of that")
    return Check("lists", True, text if lists.same_recipe else f"{text}; the recipe is another one")
