"""Ratings as many as MovieLens-25M's, made up: what the door for own CSV files takes.

    python -m benchmarks.ratings FOLDER [--seed 0]

Films have genres and years; a rating's stars and time are random, so nothing can be learned but popularity.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.big_artifact import MOVIELENS_25M, Size, films, histories

STARS = np.arange(0.5, 5.5, 0.5)
SHARES = np.array([1.6, 3.2, 1.6, 6.6, 5.0, 19.6, 12.7, 26.6, 8.8, 14.3])  # of the stars in MovieLens-25M, about
FIRST_TIME, SECONDS = 800_000_000, 700_000_000


def main() -> None:
    """Write ratings.csv and items.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    write(options.folder, MOVIELENS_25M, options.seed)
    print(f"{options.folder} written in {time.perf_counter() - start:.0f} s")


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


if __name__ == "__main__":
    main()
