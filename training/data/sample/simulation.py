"""Simulates ratings by a latent-preference model whose truth is known; README.md beside this file has the formulas."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.data.sample.world import (
    DRIFT,
    RATINGS,
    STAGES,
    USERS,
    YEAR_SECONDS,
    Films,
    Flags,
    Floats,
    Ints,
    SimulatedUsers,
    draw_films,
    draw_users,
)

CHOICE = 1.1  # weight of preference in the choice of a film
OPINION = 0.7  # stars per unit of affinity
USUAL = 3.0  # stars for a film of usual quality that fits a preference neither well nor badly
NOISE = 0.5  # standard deviation of the random part of a rating, in stars
POSITIVE = 4.0  # stars from which on a rating is positive
LATE = 0.9  # share of a history at which the truth holds: the middle of its last fifth


@dataclass(frozen=True, eq=False)
class Simulation:
    """Simulated ratings and the truth behind them; rows of the truth follow `user_ids`, its columns `item_ids`.

    The best possible ranking of a user's unseen films is by `probability`. It is zero for films that nobody has seen;
    `appeal` says how those would be rated.
    """

    ratings: pd.DataFrame  # user_id, item_id, rating (0.5 to 5), timestamp (seconds since 1970), in order of time
    user_ids: Ints
    item_ids: npt.NDArray[Any]
    probability: Floats  # that the next film late in a user's history is this one and is rated 4 or more
    appeal: Floats  # that this film, if watched late in a user's history, is rated 4 or more


def simulate(catalogue: pd.DataFrame, seed: int, n_users: int = USERS, n_ratings: int = RATINGS) -> Simulation:
    """Simulate about `n_ratings` by users of the films in `catalogue` (item_id, year, genres; in order of year)."""
    rng = np.random.default_rng(seed)
    films = draw_films(catalogue, rng)
    users = draw_users(films, rng, n_users, n_ratings)
    item_ids = catalogue[ITEM_ID].to_numpy()
    user_ids = np.arange(1, len(users.preference) + 1, dtype=np.int64)
    ratings = _history(films, users, rng)
    ratings[USER_ID] = user_ids[ratings[USER_ID]]
    ratings[ITEM_ID] = item_ids[ratings[ITEM_ID]]
    ratings = ratings.sort_values([TIMESTAMP, USER_ID, ITEM_ID], ignore_index=True)
    return Simulation(ratings, user_ids, item_ids, *_truth(films, users))


def _history(films: Films, users: SimulatedUsers, rng: np.random.Generator) -> pd.DataFrame:
    """Simulate ratings stage by stage; ids are row numbers."""
    seen = np.zeros((len(users.preference), len(films.year)), dtype=bool)
    stages = []
    for stage in range(STAGES):
        affinity = _affinity(films, users, (stage + 0.5) / STAGES)
        rows, columns = _choose(films, users, stage, affinity, seen, rng)
        seen[rows, columns] = True
        expected = _expected_stars(films, users, affinity)[rows, columns]
        stars = np.clip(np.rint(2 * (expected + rng.normal(0, NOISE, len(rows)))) / 2, 0.5, 5.0)
        seconds = users.joined[rows] + users.stay[rows] * (stage + rng.random(len(rows))) / STAGES
        stages.append(
            pd.DataFrame({USER_ID: rows, ITEM_ID: columns, RATING: stars, TIMESTAMP: seconds.astype(np.int64)})
        )
    return pd.concat(stages, ignore_index=True)


def _affinity(films: Films, users: SimulatedUsers, progress: float) -> Floats:
    """How well each film suits each user after this share of a history: float64 (n_users, n_items)."""
    preference = np.cos(DRIFT * progress) * users.preference + np.sin(DRIFT * progress) * users.turn
    return np.asarray(preference @ films.character.T)


def _choose(
    films: Films, users: SimulatedUsers, stage: int, affinity: Floats, seen: Flags, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Choose what users watch in a stage: user rows and film columns.

    The largest values of log weight + Gumbel noise are a draw without replacement in proportion to the weights.
    Source: Vieira, Gumbel-max trick and weighted reservoir sampling (2014).
    """
    key = _log_weight(films, affinity) + rng.gumbel(size=affinity.shape)
    key[seen | ~_released(films, users, stage)] = -np.inf
    most = int(users.counts[:, stage].max())
    best = np.argpartition(-key, most, axis=1)[:, :most]
    order = np.take_along_axis(best, np.argsort(-np.take_along_axis(key, best, axis=1), axis=1), axis=1)
    rows, places = np.nonzero(np.arange(most) < users.counts[:, [stage]])
    columns = order[rows, places]
    possible = np.isfinite(key[rows, columns])
    return rows[possible], columns[possible]


def _log_weight(films: Films, affinity: Floats) -> Floats:
    """Log of the relative chance that a user watches a film next."""
    return np.asarray(films.log_popularity + CHOICE * affinity)


def _released(films: Films, users: SimulatedUsers, stage: int) -> Flags:
    """True for films that are out when a user's stage begins: from the January after their year."""
    begin = users.joined + users.stay * stage / STAGES
    return np.asarray(films.year < (1970 + begin // YEAR_SECONDS)[:, None])


def _expected_stars(films: Films, users: SimulatedUsers, affinity: Floats) -> Floats:
    return np.asarray(USUAL + users.mildness[:, None] + films.quality + OPINION * affinity)


def _truth(films: Films, users: SimulatedUsers) -> tuple[Floats, Floats]:
    """`probability` and `appeal` of a Simulation."""
    affinity = _affinity(films, users, LATE)
    # A quarter star less, because ratings are rounded to half stars.
    appeal = ndtr((_expected_stars(films, users, affinity) - (POSITIVE - 0.25)) / NOISE)
    weight = np.exp(_log_weight(films, affinity))
    return weight / weight.sum(axis=1, keepdims=True) * appeal, appeal
