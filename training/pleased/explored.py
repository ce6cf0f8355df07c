"""Turns explored ranks into choices: what was shown with which odds, and what another version would have shown."""

import json

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.recommender import Recommender
from training.pleased.off_policy import Choices, Floats
from training.pleased.shown import AMONG, ITEM, LIKED, MADE, ODDS
from training.trials.attribution import LIST
from training.trials.records import USER

PRIOR = 20.0  # showings of the mean that each item's rate begins with
FOLDS = 2


def explored(items: pd.DataFrame, since: float) -> pd.DataFrame:
    """One row for each list of which an explored rank was on a screen, made since a time (seconds since 1970)."""
    with_odds = items[items[ODDS].notna() & items[AMONG].notna() & (items[MADE] >= since)]
    return with_odds.drop_duplicates(LIST).reset_index(drop=True)


def choices(rows: pd.DataFrame, version: Recommender) -> Choices:
    """What was chosen, and what a version would have chosen; lists of which it knows no item are left out."""
    best = pd.Series(
        [_best(version, user, json.loads(among)) for user, among in zip(rows[USER], rows[AMONG], strict=True)],
        rows.index,
        dtype=object,
    )
    rows, best = rows[best.notna()], best.dropna()
    users, reward = pd.factorize(rows[USER])[0].astype(np.int64), rows[LIKED].to_numpy(np.float64)
    taken = rows[ITEM]
    expected, expected_of_target = (_expected(users % FOLDS, taken, reward, of) for of in (taken, best))
    target: Floats = (taken == best).to_numpy().astype(np.float64)
    return Choices(users, reward, rows[ODDS].to_numpy(np.float64), target, expected, expected_of_target)


def _best(version: Recommender, user: str, among: list[str]) -> str | None:
    """The item with the highest score, of equal ones that with the lower row, as in lists."""
    known = sorted((row, item) for item in among if (row := version.item_row(item)) is not None)
    if not known:
        return None
    user_row = version.user_row(user)
    vector = np.zeros_like(version.user_vector(0)) if user_row is None else version.user_vector(user_row)
    scores = version.exact_scores(vector[None], np.array([[row for row, _ in known]]))
    return known[int(scores[0].argmax())][1]


def _expected(fold: npt.NDArray[np.int64], taken: pd.Series, reward: Floats, of: pd.Series) -> Floats:
    """The success rate of items, by the choices of the users of the other fold, which tell nothing of these rewards."""
    expected = np.zeros(len(reward))
    for number in range(FOLDS):
        others, mine = fold != number, fold == number
        mean = float(reward[others].mean()) if others.any() else 0.0
        found = pd.Series(reward[others]).groupby(taken[others].to_numpy()).agg(["sum", "count"])
        rates = (found["sum"] + PRIOR * mean) / (found["count"] + PRIOR)
        expected[mine] = of[mine].map(rates).fillna(mean)
    return expected
