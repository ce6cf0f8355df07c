"""Each family's library called by itself, with the family's parameters and no more around it than it asks for."""

from collections.abc import Callable
from typing import Any

import lightfm
import numpy as np
import pandas as pd
import surprise
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from scipy import sparse
from sklearn.decomposition import NMF, TruncatedSVD
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from training.models.base import TrainingData
from training.models.lightfm import OF_LIBRARY

Call = Callable[[TrainingData, Any], object]
"""Takes the data and the family with its parameters."""


def _lightfm(data: TrainingData, family: Any) -> object:  # noqa: ANN401
    identity = sparse.identity(data.positives.shape[1], dtype=np.float32, format="csr")
    shared = family.model_dump(include=OF_LIBRARY)
    model = lightfm.LightFM(family.embedding_size, random_state=0, **shared)
    features = sparse.hstack([identity, data.item_features], format="csr")
    return model.fit(data.positives, item_features=features, epochs=family.epochs, num_threads=data.threads)


def _implicit_als(data: TrainingData, family: Any) -> object:  # noqa: ANN401
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=family.embedding_size,
            alpha=family.alpha,
            regularization=family.regularization,
            iterations=family.epochs,
            num_threads=data.threads,
            random_state=0,
        )
        return model.fit(data.positives, show_progress=False)


def _implicit_bpr(data: TrainingData, family: Any) -> object:  # noqa: ANN401
    with threadpool_limits(1, "blas"):
        model = BayesianPersonalizedRanking(
            factors=family.embedding_size,
            learning_rate=family.learning_rate,
            regularization=family.regularization,
            iterations=family.epochs,
            num_threads=data.threads,
            random_state=0,
        )
        return model.fit(data.positives, show_progress=False)


def _ease(data: TrainingData, family: Any) -> object:  # noqa: ANN401
    """No library: as the paper's listing has it, then a cut of the matrix."""
    liked = np.flatnonzero(np.bincount(data.positives.indices, minlength=data.positives.shape[1]))
    histories = data.positives[:, liked]
    gram = (histories.T @ histories).toarray().astype(np.float64)
    gram[np.diag_indices(len(liked))] += family.regularization
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return randomized_svd(weights, family.embedding_size, n_iter=4, random_state=0)


def _sklearn_svd(data: TrainingData, family: Any) -> object:  # noqa: ANN401
    return TruncatedSVD(family.embedding_size, n_iter=family.iterations, random_state=0).fit_transform(data.positives)


def _sklearn_nmf(data: TrainingData, family: Any) -> object:  # noqa: ANN401
    size, penalty = family.embedding_size, family.regularization
    model = NMF(size, init="nndsvda", alpha_W=penalty, max_iter=family.iterations, random_state=0)
    return model.fit_transform(data.positives)


def _surprise_svd(data: TrainingData, family: Any) -> object:  # noqa: ANN401
    stars = data.stars.tocoo()
    ratings = pd.DataFrame({"user": stars.row, "item": stars.col, "stars": stars.data})
    reader = surprise.Reader(rating_scale=(stars.data.min(), stars.data.max()))
    model = surprise.SVD(
        n_factors=family.embedding_size,
        n_epochs=family.epochs,
        lr_all=family.learning_rate,
        reg_all=family.regularization,
        random_state=0,
    )
    return model.fit(surprise.Dataset.load_from_df(ratings, reader).build_full_trainset())


CALLS: dict[str, Call] = {
    "lightfm": _lightfm,
    "implicit_als": _implicit_als,
    "implicit_bpr": _implicit_bpr,
    "ease": _ease,
    "sklearn_svd": _sklearn_svd,
    "sklearn_nmf": _sklearn_nmf,
    "surprise_svd": _surprise_svd,
}
