"""Warns of a placement's rules that do nothing with the current films: when it is saved, and whenever it is shown."""

from typing import NamedTuple

import numpy as np

from app.contract.item_matrix import Mask, Rows
from app.contract.recommender import Recommender
from app.contract.rules import Rules


class RuleWarning(NamedTuple):
    """A rule, a sentence about it, and how many people get nothing by it."""

    field: str
    message: str
    people: int | None = None


def placement_warnings(recommender: Recommender, rules: Rules) -> list[RuleWarning]:
    """The warnings of all rules; it counts over all that people have seen, so call it in a thread."""
    there = np.ones(recommender.n_items, dtype=bool)
    there[recommender.withdrawn] = False
    allowed = there if rules.allowed is None else there & rules.allowed
    found = _people(recommender, allowed)
    for boost, mask in rules.boosts:
        if not (mask & allowed).any():
            found.append(RuleWarning("boosts", f"No film passes {boost.name!r:.80}, so the boost moves none."))
    for quota, mask in rules.quotas:
        if (n := int(np.count_nonzero(mask & allowed))) < quota.at_least:
            found.append(RuleWarning("quotas", f"{n} films pass {quota.name!r:.80}, of at least {quota.at_least}."))
    hidden = [pin.item_id for row, pin in rules.pins.items() if not allowed[row]]
    for item_id in [*(pin.item_id for pin in rules.unknown_pins), *hidden]:
        found.append(
            RuleWarning("pins", f"The film {item_id!r:.80} is unknown, withdrawn, or does not pass the filter.")
        )
    return found


def _people(recommender: Recommender, allowed: Mask) -> list[RuleWarning]:
    left = int(np.count_nonzero(allowed)) - _seen(recommender, allowed)
    n = int(np.count_nonzero(left <= 0))
    if not n:
        return []
    return [RuleWarning("filter", f"{n:,} of {recommender.n_users:,} people get no film.", n)]


def _seen(recommender: Recommender, allowed: Mask) -> Rows:
    """How many of the allowed items each user has seen, int64 (n_users,)."""
    counts = np.concatenate([[0], np.cumsum(allowed[recommender.artifact.seen_indices])])
    seen: Rows = np.diff(counts[recommender.artifact.seen_indptr])
    return seen
