"""Measures what features tell of what people like: of items, or of people."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from training.data.dataset import ITEM_ID, RATING, USER_ID
from training.models.feature_encoder import PENALTY, fit_feature_encoder

DIM, FOLDS, FEWEST = 32, 5, 3  # numbers of an item's vector, parts, likes of an item

Measure = Callable[[sparse.csr_matrix], float | None]


def share_measure(ratings: pd.DataFrame, id_name: str, ids: "pd.Series[Any]", min_rating: float | None) -> Measure:
    """What measures features: the share of the variance of directions of items, or people, that follows from them.

    Directions are those of a truncated SVD of who likes what, of length 1, so that popularity is out of it. Ridge
    regressions on four fifths of the rows tell the others, of those that have a feature. None for too few rows.
    """
    liked = ratings if min_rating is None else ratings[ratings[RATING] >= min_rating]
    others = liked[USER_ID if id_name == ITEM_ID else ITEM_ID].factorize()[0]
    rows = pd.Index(ids.astype(str)).get_indexer(pd.Index(liked[id_name].astype(str)))
    known = rows >= 0
    places = (others[known], rows[known])
    matrix = sparse.csr_matrix((np.ones(known.sum()), places), shape=(others.max(initial=0) + 1, len(ids)))
    vectors = normalize(TruncatedSVD(min(DIM, *matrix.shape), random_state=0).fit(matrix).components_.T)
    likes = np.asarray(matrix.sum(axis=0)).ravel()

    def measured(features: sparse.csr_matrix) -> float | None:
        rows = np.flatnonzero((likes >= FEWEST) & (np.diff(features.indptr) > 0))
        return _told(features[rows], vectors[rows]) if len(rows) >= 2 * FOLDS else None

    return measured


def _told(features: sparse.csr_matrix, vectors: npt.NDArray[np.float64]) -> float:
    parts: Sequence[Any] = np.array_split(np.random.default_rng(0).permutation(len(vectors)), FOLDS)
    left = total = 0.0
    for part in parts:
        rest = np.setdiff1d(np.arange(len(vectors)), part)
        encoder = fit_feature_encoder(features[rest], vectors[rest].astype(np.float32), PENALTY * len(rest))
        left += float(((vectors[part] - features[part] @ encoder[:-1] - encoder[-1]) ** 2).sum())
        total += float(((vectors[part] - vectors[rest].mean(axis=0)) ** 2).sum())
    return 1 - left / total
