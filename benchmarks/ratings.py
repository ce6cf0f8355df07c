"""Ratings as many as MovieLens-25M's, made up: what the door for own CSV files takes.

Films have genres and years; a rating's stars and time are random, so nothing can be learned but popularity.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.big_artifact import Size, films, histories

STARS = np.arange(0.5, 5.5, 0.5)
SHARES = np.array([1.6, 3.2, 1.6, 6.6, 5.0, 19.6, 12.7, 26.6, 8.8, 14.3])  # of the stars in MovieLens-25M, about
FIRST_TIME, SECONDS = 800_000_000, 700_000_000


def write(folder: Path, size: Size, seed: int) -> None:
    """`size.seen` ratings by user and time, and all films."""
    rng = np.random.default_rng(seed)
    indptr, items = histories(size, rng)
    users = np.repeat(np.arange(1, size.users + 1), np.diff(indptr))
    order = np.lexsort((rng.random(size.seen), users))
    ratings = pd.DataFrame(
        {
            "user_id": users,
            "item_id": items[order] + 1,
            "rating": rng.choice(STARS, size.seen, p=SHARES / SHARES.sum()),
            "timestamp": FIRST_TIME + np.sort(rng.integers(SECONDS, size=size.seen)),
        }
    )
    catalogue = enumerate(films(size.items, rng), start=1)
    rows = [(item, film.title, film.year, "|".join(film.genres)) for item, film in catalogue]
    folder.mkdir(parents=True, exist_ok=True)
    ratings.to_csv(folder / "ratings.csv", index=False)
    pd.DataFrame(rows, columns=["item_id", "title", "year", "genres"]).to_csv(folder / "items.csv", index=False)
