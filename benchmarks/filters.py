"""What a filter costs over 62,423 films, in processor time: the first time it comes, and after that.

Compared with the short parameters `genre` and `year_from`, which ask the same. Run: python -m benchmarks.filters
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np

from app.contract.conditions import Conditions
from app.contract.item_filter import ItemFilter
from app.model.profile import learned_profile
from app.model.registered_version import RegisteredVersion
from app.model.selection import allowed_items, recommend
from app.model.store import ServedModel, load_model
from app.schemas.queries import UserQuery
from benchmarks.big_artifact import films
from tests.artifacts import make_artifact, write

ITEMS, DIM, REPEATS = 62_423, 64, 200
SHORT = UserQuery(genre=["Drama"], year_from=1980, year_to=2010)
FILTER = UserQuery(filter='genres:Drama AND year >= 1980 AND (year <= 2010 OR genres = "Film-Noir")')


def main() -> None:
    """Print milliseconds of processor time, medians."""
    model = _model()
    short, filtered = (timed(partial(_answer, model, query)) for query in (SHORT, FILTER))
    items = ItemFilter(model.artifact.catalogue.columns, ITEMS)
    first = timed(lambda: Conditions(FILTER.filter).mask(items))
    print(f"genre, year_from, year_to: {short:.3f} ms a list; filter: {filtered:.3f} ms, {filtered / short:.2f} times")
    print(f"the first time, reading the filter and finding the films takes {first:.3f} ms more")


def _model() -> ServedModel:
    made = make_artifact(range(100), range(ITEMS), dim=DIM, films=films(ITEMS, np.random.default_rng(0)))
    with tempfile.TemporaryDirectory() as folder:
        return load_model(write(Path(folder) / "served", made), RegisteredVersion("1", 0, ""))


def _answer(model: ServedModel, query: UserQuery) -> None:
    recommend(model, learned_profile(model, "7"), query, allowed_items(model, query))


def timed(run: Callable[[], object]) -> float:
    """The median of the processor time of some runs, in ms."""
    for _ in range(5):
        run()
    times = []
    for _ in range(REPEATS):
        started = process_time()
        run()
        times.append(1000 * (process_time() - started))
    return median(times)


if __name__ == "__main__":
    main()
