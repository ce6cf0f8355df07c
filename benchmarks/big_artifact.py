"""An artifact of MovieLens-25M's size, made up: 62,423 films x 64, 162,541 users, 25 million seen films.

The same seed gives the same bytes. It is made once, and kept in .cache/benchmarks/.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact, Recipe
from app.contract.artifact_directory import load_artifact, write_artifact
from app.contract.artifact_format import FORMAT_VERSION, ArtifactError, Float32Array
from benchmarks.environments import CACHE
from tests.artifacts import Film, pack_films
from training.refit import with_ready_lists

FIRST_YEAR, LAST_YEAR = 1915, 2019
LEAST_SEEN = 20
MEDIAN_SEEN = 71
LIKED = 0.6  # of what is seen
GENRES = [
    *("Drama", "Comedy", "Thriller", "Romance", "Action", "Horror", "Documentary", "Crime", "Adventure", "Sci-Fi"),
    *("Children", "Animation", "Mystery", "Fantasy", "War", "Western", "Musical", "Film-Noir"),
]
FIRST_WORDS = [
    *("Silent", "Crimson", "Last", "Hidden", "Broken", "Golden", "Endless", "Forgotten", "Midnight", "Electric"),
    *("Paper", "Burning", "Invisible", "Second", "Little", "Wild", "Frozen", "Distant", "Señor's", "Élise's"),
    *("Lonely", "Perfect", "Strange", "Sweet", "Velvet", "Winter", "Summer", "Iron", "Blue", "Black", "White"),
]
LAST_WORDS = [
    *("River", "Garden", "Station", "Letter", "Promise", "Shadow", "Harbour", "Orchestra", "Street", "Mirror"),
    *("Kingdom", "Voyage", "Hour", "Dream", "Fire", "Daughter", "Stranger", "Café", "Highway", "Island", "Bride"),
    *("Detective", "Storm", "Window", "Song", "Heart", "City", "Soldier", "Forest", "Game", "Night", "Mountain"),
]
SYLLABLES = [
    *("mi", "ran", "da", "lo", "ka", "ter", "son", "vel", "es", "ti", "mar", "in", "ber", "go", "sha", "wen", "ri"),
    *("tho", "cas", "pe", "du", "nor", "fi", "lan", "ox", "ju", "gar", "bel", "quin", "ste", "hol", "ya", "zu", "wick"),
]


@dataclass(frozen=True)
class Size:
    """How large an artifact, or a data set, is: `seen` films, or ratings; `ready` is the length of each ready list."""

    users: int
    items: int
    seen: int
    ready: int = 0
    dim: int = 64


MOVIELENS_25M = Size(users=162_541, items=62_423, seen=25_000_095, ready=50)


def kept(size: Size = MOVIELENS_25M, seed: int = 0) -> Path:
    """The folder of an artifact that is made once, and again after a change of the format."""
    folder = folder_of(size, seed)
    try:
        load_artifact(folder)
    except ArtifactError:
        print(f"Making an artifact of {size.users:,} users x {size.items:,} items in {folder} (once)", flush=True)
        write_artifact(folder, make(size, seed))
    return folder


def make(size: Size, seed: int) -> Artifact:
    """Random embeddings with a spectrum that falls, popularity and histories with a heavy tail."""
    rng = np.random.default_rng(seed)
    item_ids = np.sort(rng.choice(np.arange(1, 4 * size.items), size.items, replace=False)).astype(np.int64)
    indptr, indices = histories(size, rng)
    popularity = np.bincount(indices, minlength=size.items).astype(np.int64)
    spread = _spectrum(size.dim, rng)
    biases = np.where(popularity, 0.4 * np.log1p(popularity) + rng.normal(0, 0.3, size.items) - 3, 0)
    artifact = Artifact(
        recipe=Recipe("benchmark", {"dim": size.dim}, seed, "0" * 64),
        user_ids=np.arange(1, size.users + 1, dtype=np.int64),
        item_ids=item_ids,
        user_embeddings=_embeddings(size.users, spread, rng),
        item_embeddings=_embeddings(size.items, spread, rng),
        item_biases=biases.astype(np.float32),
        item_popularity=popularity,
        seen_indptr=indptr,
        seen_indices=indices,
        seen_liked=rng.random(size.seen) < LIKED,
        encoder=_embeddings(size.items, spread, rng),
        encoder_intercept=np.zeros(size.dim, dtype=np.float32),
        catalogue=pack_films(films(size.items, rng)),
    )
    return with_ready_lists(artifact, size.ready)


def folder_of(size: Size, seed: int) -> Path:
    """Where an artifact is kept between runs."""
    return CACHE / f"artifact-{size.users}x{size.items}x{size.dim}-{seed}-format-{FORMAT_VERSION}"


def _spectrum(dim: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """A rotation of axes whose standard deviations fall as 1 / sqrt(place), of total variance 1."""
    deviations = np.arange(1, dim + 1) ** -0.5
    rotation, _ = np.linalg.qr(rng.normal(size=(dim, dim)))
    rotated: npt.NDArray[np.float64] = (deviations / np.linalg.norm(deviations))[:, None] * rotation
    return rotated


def _embeddings(rows: int, spread: npt.NDArray[np.float64], rng: np.random.Generator) -> Float32Array:
    lengths = rng.lognormal(0.5, 0.3, size=(rows, 1)).astype(np.float32)
    normal: Float32Array = rng.standard_normal((rows, len(spread)), dtype=np.float32)
    return lengths * (normal @ spread.astype(np.float32))


def histories(size: Size, rng: np.random.Generator) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """CSR rows of distinct items, drawn by a skewed popularity."""
    if not size.seen:
        return np.zeros(size.users + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    lengths = _lengths(size, rng)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    user = np.repeat(np.arange(size.users), lengths)
    place = np.arange(size.seen) - indptr[user]
    weights = np.minimum(rng.lognormal(0, 2.5, size.items), 3000)
    cumulated = np.cumsum(weights) / weights.sum()
    # One draw from each of a user's equal slices of the distribution: sorted, and seldom the same item twice.
    items = np.searchsorted(cumulated, (place + rng.random(size.seen)) / lengths[user]).astype(np.int64)
    # What is drawn twice moves on to the next item not drawn; then all moves back below the last item.
    stride = 2 * size.items
    items = np.maximum.accumulate(items - place + user * stride) - user * stride + place
    items = np.minimum(items, size.items - lengths[user] + place)
    return indptr, items.astype(np.int32)


def _lengths(size: Size, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How many items each user has seen: 20 and a log-normal number more, `size.seen` in all."""
    above = size.seen / size.users - LEAST_SEEN
    median = MEDIAN_SEEN - LEAST_SEEN
    if above < median:
        raise ValueError(
            f"{size}: seen must be {MEDIAN_SEEN} times the users at least, because half of them have as many"
        )
    drawn = rng.lognormal(np.log(median), np.sqrt(2 * np.log(above / median)), size.users)
    limit = size.items // 2 - LEAST_SEEN
    drawn = np.minimum(drawn * (size.seen - LEAST_SEEN * size.users) / drawn.sum(), limit)
    lengths: npt.NDArray[np.int64] = LEAST_SEEN + drawn.astype(np.int64)
    rest = size.seen - int(lengths.sum())
    lengths += rest // size.users
    lengths[: rest % size.users] += 1
    return lengths


def films(n: int, rng: np.random.Generator) -> list[Film]:
    """Films with made-up titles, in some 20,000 words, years and one to three genres."""
    firsts, lasts = rng.integers(len(FIRST_WORDS), size=n), rng.integers(len(LAST_WORDS), size=n)
    years = LAST_YEAR - np.minimum(rng.exponential(22, n).astype(np.int64), LAST_YEAR - FIRST_YEAR)
    weights = 1 / np.arange(1, len(GENRES) + 1)
    genres = rng.choice(len(GENRES), size=(n, 3), p=weights / weights.sum())
    counts = rng.choice([1, 2, 3], size=n, p=[0.4, 0.35, 0.25])
    names = (rng.random((n, 3)) ** 2 * len(SYLLABLES)).astype(np.int64)  # the first syllables are used most
    columns = zip(firsts, lasts, names, years.tolist(), genres, counts, strict=True)
    return [
        Film(
            f"The {FIRST_WORDS[first]} {LAST_WORDS[last]} of {''.join(SYLLABLES[place] for place in name).title()}",
            year,
            [GENRES[genre] for genre in sorted(set(genre_rows[:count].tolist()))],
        )
        for first, last, name, year, genre_rows, count in columns
    ]
