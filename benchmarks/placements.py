"""What a list by a filter, and one by a placement, costs over 62,423 films, in processor time.

    python -m benchmarks.placements

A filter is compared with the short parameters `genre` and `year_from`, which ask the same: the first time it comes, and
after that. The placement has a filter, two boosts, a pin and a quota; it is compared with its filter alone. No list is
kept.
"""

import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from app.contract.artifact_format import Float64Array
from app.contract.conditions import Conditions
from app.contract.item_filter import ItemFilter
from app.contract.placement import Placement
from app.contract.rules import Rules
from app.model.profile import learned_profile
from app.model.registered_version import RegisteredVersion
from app.model.selection import allowed_items, place, recommend
from app.model.store import ServedModel, load_model
from app.schemas.queries import UserQuery
from benchmarks.big_artifact import films
from benchmarks.timing import processor_ms
from tests.artifacts import make_artifact, write

ITEMS, DIM = 62_423, 64
SHORT = UserQuery(genre=["Drama"], year_from=1980, year_to=2010)
LONG = UserQuery(filter='genres:Drama AND year >= 1980 AND (year <= 2010 OR genres = "Film-Noir")')
FILTER = "year >= 2006"
RULES = {
    "filter": FILTER,
    "boosts": [{"filter": "genres:Comedy", "by": 0.3}, {"filter": "genres:War", "by": -0.3}],
    "pins": [{"item_id": 29, "rank": 1}],
    "quotas": [{"filter": "genres:Drama", "at_most": 3}],
}
timed = partial(processor_ms, times=200, warm=5)


def main() -> None:
    """Print milliseconds of processor time, medians."""
    model = _model()
    items = ItemFilter(model.artifact.catalogue.columns, ITEMS)
    rules = Rules(Placement.of(RULES), model.catalogue.filter, model.recommender.item_row, time.time())
    share = rules.allowed.mean() if rules.allowed is not None else 1
    with threadpool_limits(1):  # as the service has it
        short, long, filtered = (
            timed(partial(_filtered, model, query)) for query in (SHORT, LONG, UserQuery(filter=FILTER))
        )
        first, placed = timed(lambda: Conditions(LONG.filter).mask(items)), timed(partial(_placed, model, rules))
    print(f"genre, year_from, year_to: {short:.3f} ms a list; filter: {long:.3f} ms, {long / short:.2f} times")
    print(f"the first time, reading the filter and finding the films takes {first:.3f} ms more")
    print(f"{share:.0%} of the films pass the filter of the placement")
    print(f"filter: {filtered:.3f} ms a list; placement: {placed:.3f} ms, {placed / filtered:.2f} times")


def _model() -> ServedModel:
    made = make_artifact(range(100), range(ITEMS), dim=DIM, films=films(ITEMS, np.random.default_rng(0)))
    with tempfile.TemporaryDirectory() as folder:
        return load_model(write(Path(folder) / "served", made), RegisteredVersion("1", 0, ""))


def _filtered(model: ServedModel, query: UserQuery) -> None:
    recommend(model, learned_profile(model, "7"), query, allowed_items(model, query))


def _placed(model: ServedModel, rules: Rules) -> None:
    place(model, learned_profile(model, "7"), UserQuery(), None, rules, _nothing_trends)


def _nothing_trends(_: ServedModel) -> Float64Array:
    return np.zeros(ITEMS)


if __name__ == "__main__":
    main()
