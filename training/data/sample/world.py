"""Draws the films and users of the simulation, before anybody watches anything."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.data.raw.items import GENRES, YEAR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

USERS = 1_500
RATINGS = 120_000
FEWEST = 12  # films that a user rates at least
MOST = 0.4  # share of the catalogue that a user rates at most
ACTIVITY = 0.85  # spread of the log-normal number of ratings of a user
STAGES = 8  # equal parts of a user's history, each with its own preference

DIMENSIONS = 8  # dimensions of preference
DRIFT = 0.6  # radians that a user's preference turns between joining and leaving
FEATURE_SHARE = 0.7  # of the variance of a film's character follows from genres and decade; the rest is hidden
POPULARITY = 1.5  # spread of a film's log popularity
RENOWN = 0.5  # correlation between a film's quality and its log popularity
QUALITY = 0.3  # spread of a film's quality, in stars
MILDNESS = 0.3  # spread of what a user adds to every rating, in stars

UNRATED = 0.03  # share of the films, the latest ones, that nobody has seen yet
FORGOTTEN = 5  # older films that nobody has seen
YEARS = 6  # from the first day of the simulation to the last
YEAR_SECONDS = 365.25 * 86_400


@dataclass(frozen=True, eq=False)
class Films:
    """The properties of every film."""

    character: Floats  # (n_items, DIMENSIONS), each column of unit variance
    log_popularity: Floats  # (n_items,), -inf for films that nobody sees
    quality: Floats  # (n_items,), in stars
    year: Ints  # (n_items,)


@dataclass(frozen=True, eq=False)
class SimulatedUsers:
    """The properties of every simulated user."""

    preference: Floats  # (n_users, DIMENSIONS), on joining; of length 1
    turn: Floats  # (n_users, DIMENSIONS), where preference drifts to; of length 1, at a right angle to `preference`
    mildness: Floats  # (n_users,), in stars
    counts: Ints  # (n_users, STAGES), films watched in each stage
    joined: Floats  # (n_users,), seconds since 1970
    stay: Floats  # (n_users,), seconds from joining to leaving


def draw_films(catalogue: pd.DataFrame, rng: np.random.Generator) -> Films:
    """Draw films whose character shows in part in genres and decade, and is hidden in part."""
    features = _features(catalogue)
    told = _standardised(features @ rng.standard_normal((features.shape[1], DIMENSIONS)))
    hidden = rng.standard_normal(told.shape)
    quality, fame = rng.standard_normal((2, len(catalogue)))
    log_popularity = POPULARITY * (RENOWN * quality + np.sqrt(1 - RENOWN**2) * fame)
    log_popularity[_unseen(len(catalogue), rng)] = -np.inf
    character = np.sqrt(FEATURE_SHARE) * told + np.sqrt(1 - FEATURE_SHARE) * hidden
    return Films(character, log_popularity, QUALITY * quality, catalogue[YEAR].to_numpy(np.int64))


def _features(catalogue: pd.DataFrame) -> Floats:
    """Genres and decade as columns; the genres of a film make a vector of length one."""
    genres = catalogue[GENRES].fillna("").str.get_dummies("|").to_numpy(float)
    decades = pd.get_dummies(catalogue[YEAR].astype(int) // 10).to_numpy(float)
    return np.hstack([genres / np.sqrt(np.maximum(genres.sum(axis=1, keepdims=True), 1)), decades])


def _standardised(values: Floats) -> Floats:
    return np.asarray((values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9))


def _unseen(n_items: int, rng: np.random.Generator) -> Ints:
    """Columns of the films without ratings: the last ones, as the catalogue is in order of year, and a few others."""
    latest = round(n_items * (1 - UNRATED))
    forgotten = rng.choice(latest, size=min(FORGOTTEN, latest), replace=False)
    return np.concatenate([forgotten, np.arange(latest, n_items)])


def draw_users(films: Films, rng: np.random.Generator, users: int = USERS, ratings: int = RATINGS) -> SimulatedUsers:
    """Draw users with a drifting preference; a few of them rate much and many rate little."""
    preference = _unit(rng.standard_normal((users, DIMENSIONS)))
    other = rng.standard_normal(preference.shape)
    turn = _unit(other - (other * preference).sum(axis=1, keepdims=True) * preference)
    mildness = rng.normal(0, MILDNESS, users)
    joined, stay = _stays(int(films.year.max()) + 1, rng, users)
    return SimulatedUsers(preference, turn, mildness, _counts(len(films.year), rng, users, ratings), joined, stay)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _counts(n_items: int, rng: np.random.Generator, users: int, ratings: int) -> Ints:
    """The number of films that each user watches in each stage: log-normal over users, even over stages."""
    total = rng.lognormal(0, ACTIVITY, users)
    for _ in range(20):  # clipping changes the sum, so scale and clip until both hold
        total = np.clip(total * ratings / total.sum(), FEWEST, MOST * n_items)
    bounds = np.rint(np.outer(total, np.linspace(0, 1, STAGES + 1))).astype(np.int64)
    return np.diff(bounds, axis=1)


def _stays(end_year: int, rng: np.random.Generator, users: int) -> tuple[Floats, Floats]:
    """The seconds at which users join and for which they stay; everybody leaves before `end_year` begins."""
    end = float((np.datetime64(f"{end_year}-01-01", "s") - np.datetime64(0, "s")).astype(np.int64))
    stay = np.minimum(0.15 + rng.exponential(0.8, users), YEARS - 0.5) * YEAR_SECONDS
    return end - stay - rng.random(users) * (YEARS * YEAR_SECONDS - stay), stay
