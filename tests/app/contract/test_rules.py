"""What a placement makes of a list, against the best possible list, found by trying all of them."""

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest

from app.contract.arrangement import Bounds, arranged
from app.contract.filter_language import parse
from app.contract.item_filter import ItemFilter
from app.contract.placement import Placement
from app.contract.recommender import Recommender
from app.contract.rules import Rules
from app.contract.similarity import Similarity
from tests.artifacts import Film, make_artifact

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


@pytest.mark.parametrize("depth", [K, 3 * K])
@pytest.mark.parametrize("allowed", ["year >= 1900", "year >= 1990"])
def test_a_list_of_a_large_catalogue_is_that_made_from_all_its_items(allowed: str, depth: int) -> None:
    random, n = np.random.default_rng(0), 3000
    genres = [["Drama", "Comedy", "War"][int(kind)] for kind in random.choice(3, n, p=[0.6, 0.399, 0.001])]
    films = [Film(f"F{row}", int(random.integers(1950, 2020)), [genre]) for row, genre in enumerate(genres)]
    # Few different scores, so that many are equal.
    embeddings = random.integers(-3, 4, size=(n, 3)).astype(np.float32)
    artifact = make_artifact(item_ids=range(n), films=films, item_embeddings=embeddings, item_biases=np.zeros(n, "f4"))
    recommender, items = Recommender(artifact), ItemFilter(artifact.catalogue.columns, n)
    content = {
        "k": K,
        "filter": allowed,
        "boosts": [{"filter": "genres:Comedy", "by": 0.2}],
        "quotas": [{"filter": "genres:Drama", "at_most": 1}, {"filter": "genres:War", "at_least": 1}],
    }
    rules = Rules(Placement.of(content), items, recommender.item_row, 0)
    passes, vectors = items.mask(parse(allowed)), artifact.user_embeddings
    some = recommender.all_items.only(passes)
    for vector in vectors:
        scores = recommender.exact_scores(vector[None], np.arange(n)[None])[0]
        scores[rules.boosts[0][1]] += 0.2 * recommender.spread.of(vector)
        rows = np.argsort(-np.where(passes, scores, -np.inf), kind="stable")[: passes.sum()]
        bounds = [
            Bounds(np.flatnonzero(mask[rows]).tolist(), quota.at_least, quota.at_most, int(mask.sum()))
            for quota, mask in rules.quotas
        ]
        expected = rows[arranged(len(rows), K, {}, bounds).places[:depth]]
        for among in (None, some):
            scored = recommender.scored(vector, among=among)
            placed = rules.rank(scored, partial(recommender.spread.of, vector), depth, Similarity(artifact))
            assert placed.ranking.items[0].tolist() == expected.tolist()


def test_boosts_pins_and_quotas_make_the_best_list_that_holds_the_pins() -> None:
    n, n_met = 9, 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        genres = random.choice(["Drama", "Comedy", "War"], n).tolist()
        films = [Film(f"F{row}", 2000, [genre]) for row, genre in enumerate(genres)]
        embeddings = random.normal(size=(n, 3)).astype(np.float32)
        artifact = make_artifact(item_ids=range(n), films=films, item_embeddings=embeddings)
        by = dict(zip(["Comedy", "War"], random.normal(size=2).round(2).tolist(), strict=True))
        pinned = dict(zip((random.permutation(K)[:2] + 1).tolist(), random.permutation(n)[:2].tolist(), strict=True))
        content = {
            "k": K,
            "boosts": [{"filter": f"genres:{genre}", "by": much} for genre, much in by.items()],
            "pins": [{"item_id": row, "rank": rank} for rank, row in pinned.items()],
            "quotas": [{"filter": "genres:Drama", "at_most": 1}, {"filter": "genres:War", "at_least": 1}],
        }
        recommender, items = Recommender(artifact), ItemFilter(artifact.catalogue.columns, n)
        rules, vector = Rules(Placement.of(content), items, recommender.item_row, 0), artifact.user_embeddings[0]
        scores = recommender.exact_scores(vector[None], np.arange(n)[None])[0]
        scores += recommender.spread.of(vector) * np.array([by.get(genre, 0) for genre in genres])
        bounds = [Bounds(np.flatnonzero(mask).tolist(), each.at_least, each.at_most, 0) for each, mask in rules.quotas]
        lists = [each for each in combinations(range(n), K) if {*pinned.values()} <= {*each} and holds(each, bounds)]
        if lists:
            spread = partial(recommender.spread.of, vector)
            found = rules.rank(recommender.scored(vector), spread, K, Similarity(artifact)).ranking.items[0].tolist()
            others = [scores[row] for row in found if row not in pinned.values()]
            assert {rank: found[rank - 1] for rank in pinned} == pinned, seed
            assert others == sorted(others, reverse=True), seed
            assert scores[found].sum() == pytest.approx(max(scores[[*each]].sum() for each in lists)), seed
            n_met += 1
    assert n_met > 30
