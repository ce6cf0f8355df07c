"""Every value is worked out by hand from the definitions in the docstrings."""

from math import log2

import numpy as np
import pytest

from training.metrics import ranking

# Three users with lists of four: hits at ranks 1 and 3; none; at rank 4.
HITS = np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]], dtype=bool)
N_RELEVANT = np.array([5, 2, 1])

EXPECTED: dict[str, list[float]] = {
    "precision": [2 / 4, 0, 1 / 4],
    "recall": [2 / 5, 0, 1],
    "ndcg": [(1 + 1 / log2(4)) / (1 + 1 / log2(3) + 1 / log2(4) + 1 / log2(5)), 0, 1 / log2(5)],
    "map": [(1 / 1 + 2 / 3) / 4, 0, (1 / 4) / 1],
    "mrr": [1, 0, 1 / 4],
    "hit_rate": [1, 0, 1],
}


@pytest.mark.parametrize("name", ranking.METRICS)
def test_agrees_with_the_value_worked_out_by_hand(name: str) -> None:
    np.testing.assert_allclose(ranking.METRICS[name](HITS, N_RELEVANT), EXPECTED[name], atol=1e-12)


@pytest.mark.parametrize("name", [name for name in ranking.METRICS if name not in ("precision", "recall")])
def test_is_one_for_the_best_possible_list(name: str) -> None:
    hits = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], dtype=bool)
    np.testing.assert_allclose(ranking.METRICS[name](hits, np.array([2, 9])), 1)


def test_auc_counts_pairs_in_the_right_order_and_half_of_the_ties() -> None:
    scores = np.array([[3, 1, 2, 2, -np.inf]], dtype=np.float32)
    relevant = np.array([[False, False, True, False, False]])
    # Of the pairs of item 2 with items 0, 1 and 3 one is right, one wrong, one tied; item 4 is no candidate.
    assert ranking.auc(scores, relevant) == pytest.approx([(1 + 0.5) / 3])


def test_auc_of_a_single_pair_says_whether_it_is_in_the_right_order() -> None:
    scores = np.array([[1, 2], [2, 1]], dtype=np.float32)
    assert ranking.auc(scores, np.array([[False, True]] * 2)).tolist() == [1, 0]


def test_auc_of_a_user_without_pairs_is_undefined() -> None:
    scores = np.array([[1, -np.inf], [1, 2]], dtype=np.float32)
    relevant = np.array([[True, False], [False, False]])
    assert np.isnan(ranking.auc(scores, relevant)).all()


@pytest.mark.parametrize("sort_from", [0, 1])
def test_auc_agrees_with_counting_all_pairs(sort_from: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "SORT_FROM", sort_from)
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 6, size=(20, 30)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -np.inf
    relevant = (rng.random(scores.shape) < 0.3) & (scores > -np.inf)
    for value, row, wanted in zip(ranking.auc(scores, relevant), scores, relevant, strict=True):
        good, bad = row[wanted][:, None], row[~wanted & (row > -np.inf)][None, :]
        assert value == pytest.approx(((good > bad) + 0.5 * (good == bad)).mean())


def test_a_relevant_item_that_is_already_seen_is_in_no_pair() -> None:
    scores = np.array([[3, 1, 2, -np.inf, -np.inf]], dtype=np.float32)
    relevant = np.array([[False, False, True, True, False]])
    # Item 2 is right about item 1 and wrong about item 0; items 3 and 4 are no candidates.
    assert ranking.auc(scores, relevant) == pytest.approx([1 / 2])
