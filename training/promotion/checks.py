"""Checks of the data and the lists of a new version, each made against the live version or against the clock.

A check is a function of `Facts`, named in `CHECKS`. One that can't be made passes and says why: no live version, one
without figures, no events.
"""

from collections.abc import Callable, Mapping
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


@dataclass(frozen=True)
class Facts:
    """What the checks look at; `live` is None unless the live version has figures to compare.

    `has_other_items`: the live version recommends other items. `source` names the source of the data, and `time` is in
    seconds since 1970.
    """

    params: ChecksParams
    source: str
    time: float
    now: DataFigures
    live_version: str | None = None
    has_other_items: bool = False
    live: DataFigures | None = None
    events: EventLog | None = None
    lists: ListPair | None = None


Found = tuple[bool, str]  # whether the check is passed, and the sentence


def _films(facts: Facts) -> Found:
    """Check that events are not about other items than the data."""
    live, events = facts.live_version, facts.events
    if live is None:
        return True, "films are not compared: there is no live version"
    if not facts.has_other_items:
        return True, f"ids mean the films that they mean in live version {live}"
    begins = f"live version {live} recommends other films, so nothing is compared with it"
    if events is None or events.rows.empty:
        return True, begins
    aside = f"set it aside by python -m training source {facts.source}"
    return False, f"{begins}; what people have said is about those: {aside}"


def _size(facts: Facts) -> Found:
    """Check that no more than a small share of users, items or ratings is gone."""
    now, live, params = facts.now, facts.live, facts.params
    if live is None:
        return True, "sizes are not compared: no live version has figures of such data"
    sizes = {name: (getattr(now, name), getattr(live, name)) for name in ("users", "items", "ratings")}
    shrunk = {name for name, (ours, theirs) in sizes.items() if ours < params.least_size * theirs}
    text = ", ".join(
        f"{ours:,} {name} after {theirs:,}" for name, (ours, theirs) in sizes.items() if name in shrunk or not shrunk
    )
    if shrunk:
        return False, f"the data shrank: {text}, less than {params.least_size:.0%}"
    return True, f"nothing shrank: {text}"


def _freshness(facts: Facts) -> Found:
    """Check that events go on coming in, about as many as usual."""
    events, params = facts.events, facts.params
    if events is None or events.rows.empty:
        return True, NO_EVENTS
    ages = facts.time - events.rows[RECEIVED].to_numpy()
    newest = f"the newest event is {ages.min() / HOUR:.1f} hours old"
    if params.max_age_hours is not None and ages.min() > params.max_age_hours * HOUR:
        return False, f"{newest}, more than {params.max_age_hours:g}: do events still come in?"
    per_day = np.bincount((ages // DAY).clip(0).astype(int), minlength=USUAL_DAYS + 1)
    if ages.max() < USUAL_DAYS * DAY or not (usual := float(np.median(per_day[1 : USUAL_DAYS + 1]))):
        return True, f"{newest}; {USUAL_DAYS} days of events, which tell the usual volume, are missing"
    volume = f"{per_day[0]:,} events in the last 24 hours, after {usual:,.0f} a day in the {USUAL_DAYS} days before"
    if not usual / params.max_volume_factor <= per_day[0] <= usual * params.max_volume_factor:
        return False, f"{volume}: not within a factor of {params.max_volume_factor:g}"
    return True, f"{newest}; {volume}"


def _floods(facts: Facts) -> Found:
    """Check that no user and no item dominates the positives that the live version doesn't know."""
    events, live, params = facts.events, facts.live, facts.params
    if events is None:
        return True, NO_EVENTS
    known = live.until if live is not None and live.store == events.store else 0
    new = events.rows[events.rows[POSITIVE] & (events.rows[POSITION] > known)]
    if new.empty:
        return True, "there are no new positives among the events"
    limits = {USER_ID: ("a user", params.max_user_share), ITEM_ID: ("an item", params.max_item_share)}
    found = []
    for column, (name, limit) in limits.items():
        most = int(new[column].value_counts().iloc[0])
        if most > limit * len(new) and most >= params.flood_from:
            found.append(f"{name} has {most:,} of the {len(new):,} new positives, more than {limit:.0%}")
    if found:
        return False, f"{' and '.join(found)}: is that a person's doing?"
    return True, f"no user and no item dominates the {len(new):,} new positives"


def _shares(facts: Facts) -> Found:
    """Check that the share of positives, and that of each type of event, is as it was."""
    now, live, params = facts.now, facts.live, facts.params
    if live is None:
        return True, "shares are not compared: no live version has figures of such data"
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
        return False, f"shares moved by more than {points:g} points: {text}"
    return True, f"shares are as they were: {text}"


def _lists(facts: Facts) -> Found:
    """Check that lists resemble those of the live version, and show not much less of the catalogue.

    Another recipe may well give other lists: there the overlap is only said, since the gate compares the quality.
    """
    lists, params = facts.lists, facts.params
    if lists is None:
        return True, "lists are not compared: no live version has kept any of these films"
    shared = overlap(lists.ours, lists.theirs)
    ours, theirs = coverage(lists.ours, lists.our_items), coverage(lists.theirs, lists.their_items)
    text = (
        f"lists of {len(lists.theirs):,} users share {shared:.0%} of their films with the live version's and show "
        f"{ours:.0%} of the catalogue after {theirs:.0%}"
    )
    if lists.same_recipe and shared < params.least_overlap:
        return False, f"{text}: less than {params.least_overlap:.0%} in common, of one recipe"
    if ours < params.least_coverage * theirs:
        return False, f"{text}: less than {params.least_coverage:.0%} of that"
    return True, text if lists.same_recipe else f"{text}; the recipe is another one"


CHECKS: Mapping[str, Callable[[Facts], Found]] = {
    "films": _films,
    "size": _size,
    "freshness": _freshness,
    "floods": _floods,
    "shares": _shares,
    "lists": _lists,
}


def check(name: str, facts: Facts) -> Check:
    """Make the check of this name."""
    return Check(name, *CHECKS[name](facts))
