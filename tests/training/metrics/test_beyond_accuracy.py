"""Every value is worked out by hand from the definitions in the docstrings."""

from math import log2

import numpy as np
import pytest

from training.metrics import beyond_accuracy

LISTS = np.array([[0, 1], [0, 2], [0, -1]])
POPULARITY = np.array([7, 3, 1, 0, 0, 0, 0, 0, 0, 0])


def test_more_coverage_and_novelty_are_better_and_less_of_the_rest() -> None:
    less = {name: metric.less_is_better for name, metric in beyond_accuracy.METRICS.items()}
    assert less == {"coverage": False, "novelty": False, "popularity_share": True, "gini": True, "short_lists": True}


def test_exposure_counts_every_slot_but_the_padding() -> None:
    assert beyond_accuracy.exposure(LISTS, 10).tolist() == [3, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_coverage_is_the_share_of_items_shown_to_anybody() -> None:
    assert beyond_accuracy.coverage(LISTS, POPULARITY) == pytest.approx(3 / 10)


def test_novelty_is_the_mean_self_information() -> None:
    expected = -(3 * log2(8 / 21) + log2(4 / 21) + log2(2 / 21)) / 5
    assert beyond_accuracy.novelty(LISTS, POPULARITY) == pytest.approx(expected)


def test_popularity_share_is_that_of_the_most_popular_tenth() -> None:
    assert beyond_accuracy.popularity_share(LISTS, POPULARITY) == pytest.approx(3 / 5)


def test_gini_is_the_area_above_the_lorenz_curve() -> None:
    # Sorted exposures 0 ×7, 1, 1, 3: Σ (2i - n - 1) x_i / (n Σ x) = (5 + 7 + 9·3) / (10 · 5).
    assert beyond_accuracy.gini(LISTS, POPULARITY) == pytest.approx(39 / 50)


def test_gini_is_zero_when_all_items_are_shown_alike() -> None:
    assert beyond_accuracy.gini(np.array([[0, 1], [2, 3]]), np.ones(4, dtype=np.int64)) == pytest.approx(0)


def test_short_lists_are_counted_by_user() -> None:
    assert beyond_accuracy.short_lists(LISTS, POPULARITY) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("n_items", "head"), [(3, 1), (10, 1), (16, 2), (20, 2), (30, 3)])
def test_the_tenth_of_a_catalogue_is_rounded_and_at_least_one_item(n_items: int, head: int) -> None:
    popularity = np.arange(n_items)[::-1].copy()
    everything = np.arange(n_items)[None, :]
    assert beyond_accuracy.popularity_share(everything, popularity) == pytest.approx(head / n_items)
