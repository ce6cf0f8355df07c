"""Biased matrix factorisation of stars, by scikit-surprise: a predictor of ratings."""

from typing import Annotated

import numpy as np
from pydantic import Field
from scipy import sparse
from surprise import SVD, Trainset

from training.errors import TrainingError
from training.models.base import Factors, TrainingData, Watch
from training.models.search import Between, OneOf
from training.params.section import Section


class SurpriseSVD(Section):
    """Parameters of Funk's SVD, as in Koren, Bell and Volinsky, Matrix Factorization Techniques (2009).

    It ranks by predicted stars, so items come first that few users have rated, all of them highly: usually worse than
    popularity. It learns from every rating, positive or not.
    """

    embedding_size: Annotated[int, Field(ge=1), OneOf((32, 64, 128))]
    learning_rate: Annotated[float, Field(gt=0), Between(0.001, 0.05, log=True)]
    regularization: Annotated[float, Field(ge=0), Between(0.001, 0.2, log=True)]
    epochs: Annotated[int, Field(ge=1)]

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Fit stars ≈ mean + user bias + item bias + user · item, by stochastic gradient descent in one thread.

        Raises TrainingError where the data has no stars.
        """
        starred = _starred(data.stars)
        if not starred.nnz:
            raise TrainingError("surprise_svd predicts stars and the data has none: take it out of candidates")
        model = SVD(
            n_factors=self.embedding_size,
            n_epochs=self.epochs,
            lr_all=self.learning_rate,
            reg_all=self.regularization,
            random_state=int(rng.integers(2**31)),
        )
        return _factors(model.fit(_trainset(starred)), data, starred)


def _starred(stars: sparse.csr_matrix) -> sparse.csr_matrix:
    """The ratings with stars; an item that somebody has watched and not rated has none."""
    ratings = stars.tocoo()
    known = ~np.isnan(ratings.data)
    places = (ratings.row[known], ratings.col[known])
    return sparse.csr_matrix((ratings.data[known], places), shape=stars.shape)


def _trainset(stars: sparse.csr_matrix) -> Trainset:
    """Convert the ratings to the library's form; a row number is its inner id."""
    rows = [slice(start, end) for start, end in zip(stars.indptr, stars.indptr[1:], strict=False)]
    by_user = {
        user: list(zip(stars.indices[row].tolist(), stars.data[row].tolist(), strict=True))
        for user, row in enumerate(rows)
    }
    scale = (float(stars.data.min()), float(stars.data.max()))
    # A fit reads ratings by user only; by item they would take as much memory again.
    return Trainset(by_user, {}, *stars.shape, stars.nnz, scale, {}, {})


def _factors(model: SVD, data: TrainingData, starred: sparse.csr_matrix) -> Factors:
    liking = np.diff(data.positives.indptr) > 0
    rated = np.bincount(starred.indices, minlength=starred.shape[1]) > 0
    return Factors(
        user_embeddings=np.where(liking[:, None], model.pu, 0).astype(np.float32),
        item_embeddings=np.where(rated[:, None], model.qi, 0).astype(np.float32),
        user_biases=model.bu.astype(np.float32),
        item_biases=model.bi.astype(np.float32),
    )
