"""Reading ratings as many as MovieLens-25M's from parquet and from CSV, by processor time.

    python -m benchmarks.reading [--rounds 3]

Exits with 1 where parquet takes more than a third of what CSV takes. It needs 2 GB of disk for temporary files.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from pyarrow import csv, parquet

from benchmarks.big_artifact import MOVIELENS_25M
from benchmarks.options import options
from benchmarks.ratings import write
from training.data.raw.layouts import OWN, PARQUET
from training.data.raw.ratings import read_ratings

MOST = 1 / 3


def main() -> None:
    """Print the seconds of each round, and the ratio of their medians."""
    rounds = options(__doc__, rounds=3).rounds
    with tempfile.TemporaryDirectory() as scratch:
        as_csv, as_parquet = made(Path(scratch))
        found = [(seconds(as_parquet), seconds(as_csv)) for _ in range(rounds)]
    for of_parquet, of_csv in found:
        print(f"parquet {of_parquet:.2f} s, CSV {of_csv:.2f} s")
    ratio = median(each[0] for each in found) / median(each[1] for each in found)
    print(f"parquet takes {ratio:.2f} of CSV's processor time; at most {MOST:.2f} is aimed at")
    sys.exit(int(ratio > MOST))


def made(scratch: Path) -> tuple[Path, Path]:
    """The same ratings and films in a folder of CSV and in one of parquet."""
    as_csv, as_parquet = scratch / "csv", scratch / "parquet"
    write(as_csv, MOVIELENS_25M, seed=0)
    (as_csv / "ratings.csv").rename(as_csv / OWN.ratings)
    as_parquet.mkdir()
    shutil.copy(as_csv / str(OWN.items), as_parquet)
    parquet.write_table(csv.read_csv(as_csv / OWN.ratings), as_parquet / PARQUET.ratings)
    return as_csv, as_parquet


def seconds(folder: Path) -> float:
    """Processor time of reading and checking all ratings."""
    started = time.process_time()
    read_ratings(folder)
    return time.process_time() - started


if __name__ == "__main__":
    main()
