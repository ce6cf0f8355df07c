"""Says which lists of a trial were good: those whose user liked a film and named the list."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.events import FORGET, EventTypes, Meaning
from app.contract.placement_trial import PlacementTrial
from app.contract.recommendation_id import RecommendationId, read_id
from app.contract.trial import MOST_LISTS, Arm, Trial
from training.data.events.merging import meanings
from training.trials.records import ARM, DAY, DAY_SHOWN, LISTS, USER, Records

WITHIN_DAYS = 7  # between a list and what is said about it
MOST_GOOD_LISTS = 10  # of a user: who finds more counts no more
SLACK_SECONDS = 600  # by which a client's clock may be late
LIST, SAID = "recommendation_id", "received_at"
AnyTrial = Trial | PlacementTrial
COUNTED, NOT_COUNTED = "good lists of the trial", "events without its id"


@dataclass(frozen=True)
class Observations:
    """What is known of exposed users.

    `daily` has a row for each user and day (days since 1970) with lists or successes: user_id, arm (0 production, 1
    challenger), day, lists, successes. `attribution` counts the good lists, and the events of exposed users that name
    no list of theirs in the trial. `misplaced` is the share of exposed users in an arm that is not theirs.
    """

    daily: pd.DataFrame
    attribution: dict[str, int]
    misplaced: float

    @property
    def users(self) -> pd.DataFrame:
        """One row for each user: arm, lists, successes."""
        return self.daily.groupby(USER).agg(arm=(ARM, "first"), lists=(LISTS, "sum"), successes=("successes", "sum"))


def observe(records: Records, trial: AnyTrial, kinds: tuple[str, ...], types: EventTypes) -> Observations:
    """Count lists and successes of each user: of each ten lists a day at most, and of those the good ones.

    `kinds` are the types of events that make a list good, one with a value from its threshold on. The last thing that
    the user says for or against a film of the list counts. What names no list of the trial counts for nobody: anybody
    can say it, in anybody's name, as often as they like. Nobody can make the id of a list that was not answered.
    """
    shown = records.exposures
    theirs = {user: trial.arm(user) for user in shown[USER].unique()}
    right = shown[ARM].to_numpy() == shown[USER].map(theirs).to_numpy()
    misplaced = shown[USER][~right].nunique() / max(len(theirs), 1)
    shown = shown[right].assign(**{LISTS: lambda rows: rows[LISTS].clip(upper=MOST_LISTS)})
    forgotten = records.events[USER][records.events["type"] == FORGET]
    shown = shown[~shown[USER].isin(forgotten)]
    said = judged(records.events[records.events[USER].isin(shown[USER])], kinds, types)
    good = _good_lists(named := _in_the_trial(said, trial, records.secrets), shown)
    return Observations(_daily(shown, good), {COUNTED: len(good), NOT_COUNTED: len(said) - len(named)}, misplaced)


def judged(events: pd.DataFrame, kinds: tuple[str, ...], types: EventTypes) -> pd.DataFrame:
    """Return the events for or against a film, and which of them are for it in `good`."""
    rules = types.rules.items()
    valued = events["type"].isin([name for name, rule in rules if rule.threshold is not None]).to_numpy()
    against = events["type"].isin([name for name, rule in rules if rule.is_against]).to_numpy()
    is_liked: npt.NDArray[np.bool_] = meanings(events, types) == Meaning.LIKED
    good = events["type"].isin(kinds).to_numpy() & (~valued | is_liked)
    counts = good | valued | against
    return events[counts].assign(good=good[counts])


def _in_the_trial(said: pd.DataFrame, trial: AnyTrial, secrets: tuple[bytes, ...]) -> pd.DataFrame:
    """The events that name a list of the user's in the trial, and the day of the list."""
    rows = zip(said[USER], said[LIST], said["occurred_at"], strict=True)
    days = pd.Series([_day_of_list(trial, secrets, *row) for row in rows], index=said.index, dtype="float64")
    return said.assign(**{DAY_SHOWN: days}).dropna(subset=[DAY_SHOWN]).astype({DAY_SHOWN: "int64"})


def _day_of_list(trial: AnyTrial, secrets: tuple[bytes, ...], user: str, name: str | None, occurred: float) -> float:
    found = read_id(name) if isinstance(name, str) else None
    if found is None or not -SLACK_SECONDS <= occurred - found.time <= WITHIN_DAYS * DAY:
        return math.nan
    return found.time // DAY if _is_theirs(trial, secrets, user, found) else math.nan


def _is_theirs(trial: AnyTrial, secrets: tuple[bytes, ...], user: str, found: RecommendationId) -> bool:
    arm = trial.arm(user)
    if isinstance(trial, PlacementTrial):
        return found.placed is arm and found.is_for(user, trial.secret)
    version = trial.version if arm is Arm.CHALLENGER else trial.against
    seals = (trial.secret,) if found.placed is Arm.NONE else secrets
    return (found.arm, found.version) == (arm, version) and any(found.is_for(user, secret) for secret in seals)


def _good_lists(named: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """The lists with a film for which the user's last word is: of a day no more than were shown, ten of a user."""
    last = named.drop_duplicates([LIST, "item_id"], keep="last")
    good = last[last["good"]].drop_duplicates(LIST).merge(shown[[USER, DAY_SHOWN, LISTS]], on=[USER, DAY_SHOWN])
    good = good[good.groupby([USER, DAY_SHOWN]).cumcount() < good[LISTS]]
    return good[good.groupby(USER).cumcount() < MOST_GOOD_LISTS]


def _daily(shown: pd.DataFrame, good: pd.DataFrame) -> pd.DataFrame:
    lists = shown[[USER, DAY_SHOWN, LISTS]].assign(successes=0)
    # A replica's clock may be late.
    days = np.maximum((good[SAID] // DAY).astype("int64"), good[DAY_SHOWN])
    successes = pd.DataFrame({USER: good[USER], DAY_SHOWN: days, LISTS: 0, "successes": 1})
    both = pd.concat([lists, successes]).groupby([USER, DAY_SHOWN], as_index=False).sum()
    return both.assign(arm=both[USER].map(shown.groupby(USER)[ARM].first())).astype({DAY_SHOWN: "int64"})
