"""What a placement makes of a list, against the best possible list, found by trying all of them."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest

from app.contract.arrangement import Bounds, arranged

K = 4


class Case(NamedTuple):
    """Candidates with weights, best first, and quotas over them."""

    weights: Sequence[float]
    quotas: list[Bounds]


def generated(seed: int, how: str) -> Case:
    random, n = np.random.default_rng(seed), 9
    weights = np.sort(random.exponential(size=n))[::-1].tolist()
    masks = [random.random(n) < 0.45 for _ in range(int(random.integers(1, 4)))]
    if how == "apart":
        kinds = random.integers(0, 3, n)
        masks = [kinds == each for each in range(len(masks))]
    elif how == "nested":
        masks = [np.logical_and.reduce(masks[: number + 1]) for number in range(len(masks))]
    quotas = []
    for mask in masks:
        least = int(random.integers(0, 3)) if how != "at most" else 0
        most = int(random.integers(max(least, 1), K + 1))
        quotas.append(Bounds(np.flatnonzero(mask).tolist(), least, most, int(mask.sum())))
    return Case(weights, quotas)


def holds(places: Sequence[int], quotas: Sequence[Bounds]) -> bool:
    counts = [sum(place in quota.places for place in places) for quota in quotas]
    return all(quota.at_least <= count <= quota.at_most for quota, count in zip(quotas, counts, strict=True))


def best(case: Case) -> float | None:
    """The weight of the best list of K that meets all quotas, None if there is none."""
    lists = combinations(range(len(case.weights)), K)
    return max((sum(case.weights[p] for p in each) for each in lists if holds(each, case.quotas)), default=None)


@pytest.mark.parametrize("how", ["apart", "nested"])
def test_a_list_is_the_best_possible_one_where_quotas_are_nested_or_apart(how: str) -> None:
    n_met = 0
    for seed in range(300):
        case, possible = generated(seed, how), None
        if (possible := best(case)) is not None:
            places = arranged(len(case.weights), K, {}, case.quotas).places[:K]
            assert holds(places, case.quotas), seed
            assert sum(case.weights[place] for place in places) == pytest.approx(possible), seed
            n_met += 1
    assert n_met > 100


def test_quotas_of_at_most_that_cross_cost_no_more_than_the_bound() -> None:
    shares = []
    for seed in range(300):
        case = generated(seed, "at most")
        if (possible := best(case)) is None:
            continue
        places = arranged(len(case.weights), K, {}, case.quotas).places[:K]
        assert holds(places, case.quotas), seed
        crossing = max(sum(place in quota.places for quota in case.quotas) for place in range(len(case.weights)))
        shares.append(sum(case.weights[place] for place in places) / possible)
        assert shares[-1] >= 1 / max(crossing, 1) - 1e-9, seed
    assert np.mean(shares) > 0.97
