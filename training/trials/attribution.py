"""Says which events show that a list was good, and of which arm that list was."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.events import Meaning
from app.contract.recommendation_id import read_id
from app.contract.trial import Arm, Trial
from training.data.events.merging import meanings
from training.trials.records import ARM, DAY, DAY_SHOWN, LISTS, USER, Records

WITHIN_DAYS = 7  # between a list and what is said about it
SLACK_SECONDS = 600  # by which a client's clock may be late
# What takes back an earlier success with the same item; a rating does where its stars are few.
AGAINST = ("dislike", "hide", "retract")
BY_ID, BY_LAST_ARM, NOT_ATTRIBUTED = "by the list's id", "by the user's arm", "not attributed"


@dataclass(frozen=True)
class Observations:
    """What is known of exposed users.

    `daily` has a row for each user and day (days since 1970) with lists or successes: user_id, arm (0 production, 1
    challenger), day, lists, successes. `attribution` counts the successes by how their arm was found. `misplaced` is
    the share of exposed users in an arm that is not theirs.
    """

    daily: pd.DataFrame
    attribution: dict[str, int]
    misplaced: float

    @property
    def users(self) -> pd.DataFrame:
        """One row for each user: arm, lists, successes."""
        return self.daily.groupby(USER).agg(arm=(ARM, "first"), lists=(LISTS, "sum"), successes=("successes", "sum"))


def observe(records: Records, trial: Trial, kinds: tuple[str, ...], min_rating: float | None) -> Observations:
    """Count lists and attributed successes of each user.

    `kinds` are the types of events that are a success, a rating from `min_rating` stars on. A success is a film, and
    the last thing that a user says for or against it counts.
    """
    shown = records.exposures
    theirs = {user: trial.arm(user) for user in shown[USER].unique()}
    right = shown[ARM].to_numpy() == shown[USER].map(theirs).to_numpy()
    misplaced = shown[USER][~right].nunique() / max(len(theirs), 1)
    shown = shown[right]
    forgotten = records.events[USER][records.events["type"] == "forget"]
    shown = shown[~shown[USER].isin(forgotten)]
    successes = _successes(records.events, shown, kinds, min_rating)
    how = _attributed(successes, shown, trial)
    attributed = successes[how != NOT_ATTRIBUTED]
    return Observations(_daily(shown, attributed), dict(Counter(how.tolist())), misplaced)


def _successes(
    events: pd.DataFrame, shown: pd.DataFrame, kinds: tuple[str, ...], min_rating: float | None
) -> pd.DataFrame:
    """The last event for or against each pair of exposed user and item, if it is for it."""
    mine = events[events[USER].isin(shown[USER])]
    is_rating = (mine["type"] == "rating").to_numpy()
    is_liked: npt.NDArray[np.bool_] = meanings(mine, min_rating) == Meaning.LIKED
    good = mine["type"].isin(kinds).to_numpy() & (~is_rating | is_liked)
    counts = good | is_rating | mine["type"].isin(AGAINST).to_numpy()
    last = mine[counts].assign(good=good[counts]).drop_duplicates([USER, "item_id"], keep="last")
    return last[last["good"]]


def _attributed(successes: pd.DataFrame, shown: pd.DataFrame, trial: Trial) -> npt.NDArray[np.object_]:
    """How each success is attributed to its user's arm: by the list that it names, else by the user's last list."""
    columns = (successes[name] for name in (USER, "recommendation_id", "occurred_at"))
    rows = zip(*columns, _had_a_list(successes, shown), strict=True)
    return np.array([_how(trial, *row) for row in rows], dtype=object)


def _how(trial: Trial, user: str, name: str | None, occurred: float, had_list: bool) -> str:
    found = read_id(name) if isinstance(name, str) else None
    if found is not None and found.is_for(user) and -SLACK_SECONDS <= occurred - found.time <= WITHIN_DAYS * DAY:
        arm = trial.arm(user)
        version = trial.version if arm is Arm.CHALLENGER else trial.against
        # Else it is a list from before the trial, or of another one.
        return BY_ID if (found.arm, found.version) == (arm, version) else NOT_ATTRIBUTED
    return BY_LAST_ARM if had_list else NOT_ATTRIBUTED


def _had_a_list(successes: pd.DataFrame, shown: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether the user was shown a list on the day of each success or in the seven days before: bool (n_successes,)."""
    days = successes[[USER]].assign(day=_days(successes["received_at"]), place=np.arange(len(successes)))
    lists = shown[[USER, DAY_SHOWN]].drop_duplicates().assign(shown_on=lambda rows: rows[DAY_SHOWN])
    pairs = pd.merge_asof(
        days.sort_values("day"), lists.sort_values(DAY_SHOWN), left_on="day", right_on=DAY_SHOWN, by=USER,
        tolerance=WITHIN_DAYS,
    )  # fmt: skip
    found: npt.NDArray[np.bool_] = pairs.sort_values("place")["shown_on"].notna().to_numpy(dtype=bool)
    return found


def _days(times: "pd.Series[float]") -> npt.NDArray[np.int64]:
    return np.asarray(times.to_numpy(dtype=np.float64) // DAY, dtype=np.int64)


def _daily(shown: pd.DataFrame, attributed: pd.DataFrame) -> pd.DataFrame:
    first = shown.groupby(USER)[DAY_SHOWN].min()
    # A batch may have shown a list before the first that counts: such a success counts from then on.
    days = np.maximum(_days(attributed["received_at"]), attributed[USER].map(first))
    lists = shown[[USER, DAY_SHOWN, LISTS]].assign(successes=0)
    good = pd.DataFrame({USER: attributed[USER], DAY_SHOWN: days, LISTS: 0, "successes": 1})
    both = pd.concat([lists, good]).groupby([USER, DAY_SHOWN], as_index=False).sum()
    return both.assign(arm=both[USER].map(shown.groupby(USER)[ARM].first())).astype({DAY_SHOWN: "int64"})
