"""Beyond-accuracy metrics: how all users' lists together treat the catalogue.

`lists` is an integer array (n_users, k) of item rows, best first; negative numbers pad short lists.
`popularity` is an integer array (n_items,): training positives per item.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Lists = npt.NDArray[np.int64]
Popularity = npt.NDArray[np.int64]

POPULAR_SHARE = 0.1


def exposure(lists: Lists, n_items: int) -> npt.NDArray[np.int64]:
    """Count how often each item is recommended: int64 (n_items,)."""
    return np.bincount(lists[lists >= 0], minlength=n_items)


def coverage(lists: Lists, popularity: Popularity) -> float:
    """Share of the catalogue that is recommended to at least one user."""
    return float((exposure(lists, len(popularity)) > 0).mean())


def novelty(lists: Lists, popularity: Popularity) -> float:
    """Mean self-information -log2((count + 1) / (all + items)) of recommended items, in bits.

    Source: Zhou et al., Solving the apparent diversity-accuracy dilemma of recommender systems (2010);
    one is added to each count so that items without positives are defined.
    """
    information = -np.log2((popularity + 1) / (popularity.sum() + len(popularity)))
    return float(information[lists[lists >= 0]].mean())


def popularity_share(lists: Lists, popularity: Popularity) -> float:
    """Share of all recommendations that go to the tenth of the catalogue with most positives."""
    head = np.argsort(-popularity, kind="stable")[: max(1, round(len(popularity) * POPULAR_SHARE))]
    counts = exposure(lists, len(popularity))
    return float(counts[head].sum() / counts.sum())


def gini(lists: Lists, popularity: Popularity) -> float:
    """Gini coefficient of exposure over the catalogue: 0 where all items are shown alike, near 1 where one item is.

    Source: the formula over sorted values in Dixon et al. (1987), without small-sample correction.
    """
    counts = np.sort(exposure(lists, len(popularity)))
    n = len(counts)
    return float((2 * np.arange(1, n + 1) - n - 1) @ counts / (n * counts.sum()))


def short_lists(lists: Lists, popularity: Popularity) -> float:
    """Share of users who get fewer than k items."""
    return float((lists < 0).any(axis=1).mean())


@dataclass(frozen=True)
class Metric:
    """A beyond-accuracy metric: its function, its meaning for people, and whether less is better."""

    compute: Callable[[Lists, Popularity], float]
    meaning: str
    less_is_better: bool = False


METRICS = {
    "coverage": Metric(coverage, "share of the catalogue that at least one user is shown"),
    "novelty": Metric(novelty, "bits of surprise, more for films that few like"),
    "popularity_share": Metric(
        popularity_share, "share of places that go to the most popular tenth of the catalogue", True
    ),
    "gini": Metric(gini, "0 where all films are shown alike, 1 where it is always the same one", True),
    "short_lists": Metric(short_lists, "share of users with fewer than k films", True),
}
