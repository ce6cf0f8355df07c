"""Ranking metrics of each user's list; every function works on many users at once.

`hits` is a boolean array (n_users, k): whether the item at that rank is relevant, best rank first.
`n_relevant` is an integer array (n_users,) with at least 1 everywhere: the number of items
relevant to the user. Every function returns float64 (n_users,) between 0 and 1. Libraries disagree on
some of these names, so each docstring holds the definition that is used here.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Hits = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
PerUser = npt.NDArray[np.float64]

SORT_FROM = 1 / 4000  # relevant items as a share of all, from which on sorting the scores is the quicker way to count


def precision(hits: Hits, n_relevant: Counts) -> PerUser:
    """Hits / k; a list with fewer than k items is still divided by k.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval (2008), section 8.4.
    """
    result: PerUser = hits.mean(axis=1)
    return result


def recall(hits: Hits, n_relevant: Counts) -> PerUser:
    """Hits / relevant items, whatever k is.

    Source: Manning, Raghavan, Schütze (2008), section 8.3.
    """
    result: PerUser = hits.sum(axis=1) / n_relevant
    return result


def ndcg(hits: Hits, n_relevant: Counts) -> PerUser:
    """Σ 1/log2(rank + 1) over hits / the same sum of the best list, min(k, relevant) hits on top.

    Source: Järvelin, Kekäläinen, Cumulated gain-based evaluation of IR techniques (2002), binary gains.
    """
    discounts = 1 / np.log2(np.arange(2, hits.shape[1] + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])
    best: PerUser = ideal[np.minimum(n_relevant, hits.shape[1])]
    result: PerUser = hits @ discounts / best
    return result


def average_precision(hits: Hits, n_relevant: Counts) -> PerUser:
    """Σ precision at the rank of each hit / min(k, relevant); its mean over users is MAP.

    Source: Manning, Raghavan, Schütze (2008), section 8.4, cut at k.
    """
    precisions = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    total: PerUser = (precisions * hits).sum(axis=1)
    result: PerUser = total / np.minimum(n_relevant, hits.shape[1])
    return result


def reciprocal_rank(hits: Hits, n_relevant: Counts) -> PerUser:
    """1 / rank of the first hit, 0 without a hit in the first k; its mean over users is MRR.

    Source: Voorhees, The TREC-8 question answering track report (1999).
    """
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def hit_rate(hits: Hits, n_relevant: Counts) -> PerUser:
    """1 where the first k hold a hit, else 0."""
    return np.where(hits.any(axis=1), 1.0, 0.0)


METRICS: dict[str, Callable[[Hits, Counts], PerUser]] = {
    "precision": precision,
    "recall": recall,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "hit_rate": hit_rate,
}


def auc(scores: npt.NDArray[np.float32], relevant: Hits) -> PerUser:
    """Share of pairs (relevant, other unseen item) that the scores put in the right order; ties count half.

    `scores` (n_users, n_items) are -inf for seen items. NaN for a user without a
    relevant or without another unseen item. Source: the Mann-Whitney form of the area under the
    ROC curve, Hanley and McNeil (1982).
    """
    relevant = relevant & (scores > -np.inf)
    places = np.flatnonzero(relevant)
    bounds = places.searchsorted(np.arange(len(scores) + 1) * scores.shape[1])
    below = _below(scores, scores.ravel()[places], bounds)
    hidden = np.count_nonzero(scores == -np.inf, axis=1)
    n_relevant = np.diff(bounds)
    n_pairs = n_relevant * (scores.shape[1] - hidden - n_relevant)
    # Of `below`, n²/2 are comparisons of relevant items with each other, and the rest includes all hidden items.
    right = below - n_relevant**2 / 2 - n_relevant * hidden
    return np.where(n_pairs > 0, right / np.maximum(n_pairs, 1), np.nan)


def expected_recall(scores: npt.NDArray[np.float32], relevant: Hits, at: Sequence[int]) -> npt.NDArray[np.float64]:
    """Recall at each k, float64 (n_users, n_k), averaged over all orders of items with equal scores.

    `scores` (n_users, n_items) are -inf for items that are not ranked; every user has a relevant item that is ranked.
    An item with a above it and t of its score, itself included, is among the first k with probability (k - a) / t.
    Source: McSherry, Najork, Computing information retrieval performance measures efficiently in the presence of tied
    scores (2008).
    """
    result = np.empty((len(scores), len(at)))
    for row, ordered in enumerate(np.sort(scores, axis=1)):
        wanted = scores[row, relevant[row]]
        end = ordered.searchsorted(wanted, "right")
        above, tied = len(ordered) - end, end - ordered.searchsorted(wanted, "left")
        result[row] = np.clip((np.array(at)[:, None] - above) / tied, 0, 1).mean(axis=1)
    return result


def _below(scores: npt.NDArray[np.float32], values: npt.NDArray[np.float32], bounds: Counts) -> PerUser:
    """For each row, count its scores below each of its values and add up; equal ones count half."""
    # Two passes over a row of 62,000 take a fourteenth of the time of sorting it; over one of 4,000, a third.
    count = _below_by_passes if len(values) < SORT_FROM * scores.size else _below_by_sorting
    return count(scores, values, bounds)


def _below_by_passes(scores: npt.NDArray[np.float32], values: npt.NDArray[np.float32], bounds: Counts) -> PerUser:
    def below(row: npt.NDArray[np.float32], value: np.float32) -> float:
        return (np.count_nonzero(row < value) + np.count_nonzero(row <= value)) / 2

    rows = zip(scores, bounds[:-1], bounds[1:], strict=True)
    return np.array([sum(below(row, value) for value in values[start:end]) for row, start, end in rows], dtype=float)


def _below_by_sorting(scores: npt.NDArray[np.float32], values: npt.NDArray[np.float32], bounds: Counts) -> PerUser:
    # Scores up to a value are those below the next larger number, so that one search finds both.
    ends = np.stack([values, np.nextafter(values, np.float32(np.inf))], axis=1).ravel()
    rows = zip(np.sort(scores, axis=1), 2 * bounds[:-1], 2 * bounds[1:], strict=True)
    return np.array([row.searchsorted(ends[start:end]).sum() for row, start, end in rows], dtype=np.float64) / 2
