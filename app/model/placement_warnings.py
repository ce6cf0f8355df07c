"""Warns of a placement's rules that do nothing with the current films: when it is saved, and whenever it is shown."""

import numpy as np

from app.contract.item_matrix import Mask, Rows
from app.contract.recommender import Recommender
from app.contract.rules import Rules
from app.schemas.placements import PlacementWarning


def placement_warnings(recommender: Recommender, rules: Rules) -> list[PlacementWarning]:
    """The warnings of all rules; it counts over all that people have seen, so call it in a thread."""
    there = np.ones(recommender.n_items, dtype=bool)
    there[recommender.withdrawn] = False
    allowed = there if rules.allowed is None else there & rules.allowed
    counted = [(quota, int(np.count_nonzero(mask & allowed))) for quota, mask in rules.quotas]
    boosts = [boost.name for boost, mask in rules.boosts if not (mask & allowed).any()]
    quotas = [(n, quota.name, quota.at_least) for quota, n in counted if n < quota.at_least]
    lost = [*rules.unknown_pins, *(pin for row, pin in rules.pins.items() if not allowed[row])]
    pins = [pin.item_id for pin in lost]
    said = [
        *(("boosts", f"No film passes {name!r:.80}, so the boost moves none.") for name in boosts),
        *(("quotas", f"{n} films pass {name!r:.80}, of at least {least}.") for n, name, least in quotas),
        *(
            ("pins", f"The film {item_id!r:.80} is unknown, withdrawn, or does not pass the filter.")
            for item_id in pins
        ),
    ]
    return _people(recommender, allowed) + [PlacementWarning(field=field, message=message) for field, message in said]


def _people(recommender: Recommender, allowed: Mask) -> list[PlacementWarning]:
    left = int(np.count_nonzero(allowed)) - _seen(recommender, allowed)
    n = int(np.count_nonzero(left <= 0))
    if not n:
        return []
    return [PlacementWarning(field="filter", message=f"{n:,} of {recommender.n_users:,} people get no film.", people=n)]


def _seen(recommender: Recommender, allowed: Mask) -> Rows:
    """How many of the allowed items each user has seen, int64 (n_users,)."""
    counts = np.concatenate([[0], np.cumsum(allowed[recommender.artifact.seen_indices])])
    seen: Rows = np.diff(counts[recommender.artifact.seen_indptr])
    return seen
