"""What a list by a placement costs over 62,423 films, in processor time, against the list with its filter alone.

The placement has a filter, two boosts, a pin and a quota, and no list is kept. Run: python -m benchmarks.placements
"""

import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from app.contract.artifact_format import Float64Array
from app.contract.placement import Placement
from app.contract.rules import Rules
from app.model.profile import learned_profile
from app.model.registered_version import RegisteredVersion
from app.model.selection import allowed_items, place, recommend
from app.model.store import ServedModel, load_model
from app.schemas.queries import UserQuery
from benchmarks.big_artifact import films
from benchmarks.filters import DIM, ITEMS, timed
from tests.artifacts import make_artifact, write

FILTER = "year >= 2006"
RULES = {
    "filter": FILTER,
    "boosts": [{"filter": "genres:Comedy", "by": 0.3}, {"filter": "genres:War", "by": -0.3}],
    "pins": [{"item_id": 29, "rank": 1}],
    "quotas": [{"filter": "genres:Drama", "at_most": 3}],
}


def main() -> None:
    """Print milliseconds of processor time, medians."""
    model = _model()
    rules = Rules(Placement.of(RULES), model.catalogue.filter, model.recommender.item_row, time.time())
    share = rules.allowed.mean() if rules.allowed is not None else 1
    with threadpool_limits(1):  # as the service has it
        filtered, placed = timed(partial(_filtered, model)), timed(partial(_placed, model, rules))
    print(f"{share:.0%} of the films pass the filter")
    print(f"filter: {filtered:.3f} ms a list; placement: {placed:.3f} ms, {placed / filtered:.2f} times")


def _model() -> ServedModel:
    random = np.random.default_rng(0)
    made = make_artifact(
        range(100),
        range(ITEMS),
        dim=DIM,
        films=films(ITEMS, random),
        user_embeddings=random.normal(size=(100, DIM)).astype(np.float32),
        item_embeddings=random.normal(size=(ITEMS, DIM)).astype(np.float32),
        item_biases=random.normal(size=ITEMS).astype(np.float32),
    )
    with tempfile.TemporaryDirectory() as folder:
        return load_model(write(Path(folder) / "served", made), RegisteredVersion("1", 0, ""))


def _filtered(model: ServedModel) -> None:
    query = UserQuery(filter=FILTER)
    recommend(model, learned_profile(model, "7"), query, allowed_items(model, query))


def _placed(model: ServedModel, rules: Rules) -> None:
    place(model, learned_profile(model, "7"), UserQuery(), None, rules, _nothing_trends)


def _nothing_trends(_: ServedModel) -> Float64Array:
    return np.zeros(ITEMS)


if __name__ == "__main__":
    main()
