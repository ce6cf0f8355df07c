"""What it costs to make a user's vector from a history in PostgreSQL, in place of a vector in the artifact.

    python -m benchmarks.histories [--users 2000000]

Every user has a row with an array of 20 to 120 items. The encoder has 62,423 items and 64 numbers each, made up. The
server is the one of the tests, on this machine, over a Unix socket; the client asks one user after the other.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from app.contract.recommender import Recommender
from benchmarks.options import options
from benchmarks.report import table
from tests.artifacts import Film, make_artifact
from tests.postgres import postgres

ITEMS, DIM, REPEATS, BATCH = 62_423, 64, 5_000, 100
MAKE = """
CREATE TABLE history (user_id bigint PRIMARY KEY, items integer[] NOT NULL);
INSERT INTO history SELECT u, ARRAY(SELECT ((u * 2654435761 + g * 40503) & 2147483647)::int % {items}
  FROM generate_series(1, 20 + (u * 7919 % 101)::int) AS g) FROM generate_series(1::bigint, {users}) AS u;
"""
ONE = "SELECT items FROM history WHERE user_id = %s"
MANY = "SELECT items FROM history WHERE user_id = ANY(%s)"


def main() -> None:
    """Print a Markdown table."""
    users = options(__doc__, users=2_000_000).users
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres(Path(folder)) as server,
        psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection,
    ):
        start = time.perf_counter()
        connection.execute(MAKE.format(items=ITEMS, users=users).encode())
        connection.execute("VACUUM ANALYZE history")
        size = connection.execute("SELECT pg_total_relation_size('history')").fetchone()
        assert size
        seconds = time.perf_counter() - start
        print(f"{users:,} histories: {seconds:.0f} s to make, {size[0] / 1e9:.2f} GB with index\n")
        print(_measured(connection, users))


def _measured(connection: "psycopg.Connection[Any]", users: int) -> str:
    rng, recommender = np.random.default_rng(0), _recommender()

    def read() -> list[int]:
        user = int(rng.integers(1, users + 1))
        items: list[int] = connection.execute(ONE, (user,), prepare=True, binary=True).fetchone()[0]  # type: ignore[index]
        return items

    def read_many() -> list[Any]:
        wanted = rng.integers(1, users + 1, BATCH).tolist()
        return connection.execute(MANY, (wanted,), prepare=True, binary=True).fetchall()

    def answer() -> None:
        history = np.array(read(), dtype=np.int64)
        recommender.top(recommender.fold_in(history), 10, history)

    history = np.array(read(), dtype=np.int64)
    steps: dict[str, tuple[Callable[[], object], int, int]] = {
        "read a history": (read, REPEATS, 1),
        f"read {BATCH} histories at once, per user": (read_many, REPEATS // 50, BATCH),
        "fold-in alone": (lambda: recommender.fold_in(history), REPEATS, 1),
        "read, fold in, rank 62,423 films": (answer, REPEATS // 5, 1),
    }
    return table(
        ["step", "median, µs", "99th percentile, µs"], [[name, *_times(*step)] for name, step in steps.items()]
    )


def _times(step: Callable[[], object], repeats: int, parts: int) -> list[str]:
    taken = np.empty(repeats)
    for place in range(repeats):
        start = time.perf_counter()
        step()
        taken[place] = (time.perf_counter() - start) * 1e6 / parts
    return [f"{np.quantile(taken, share):.0f}" for share in (0.5, 0.99)]


def _recommender() -> Recommender:
    """Items and an encoder, and one user whom nobody asks for."""
    encoder = np.random.default_rng(0).standard_normal((ITEMS, DIM), dtype=np.float32)
    films = [Film("")] * ITEMS
    return Recommender(make_artifact([1], range(ITEMS), dim=DIM, films=films, encoder=encoder))


if __name__ == "__main__":
    main()
