"""Surprise's SVD: matrix factorisation that predicts how many stars a user gives."""

from typing import Annotated

import numpy as np
import pandas as pd
import surprise
from pydantic import Field

from training.errors import TrainingError
from training.models.base import Factors, TrainingData, Watch
from training.params import Section


class SurpriseSVD(Section):
    """Parameters of Funk's factorisation with biases: Koren, Bell and Volinsky (2009).

    It is fitted to the stars that were given and knows nothing of what nobody chose to watch: a ranking by predicted
    stars usually loses to popularity. It is here to be compared with.
    """

    embedding_size: Annotated[int, Field(ge=1)]
    learning_rate: Annotated[float, Field(gt=0)]
    regularization: Annotated[float, Field(ge=0)]
    epochs: Annotated[int, Field(ge=1)]

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Fit to all stars, liked or not.

        Raises TrainingError where there are none.
        """
        trainset = trainset_of(data)
        model = surprise.SVD(
            n_factors=self.embedding_size,
            n_epochs=self.epochs,
            lr_all=self.learning_rate,
            reg_all=self.regularization,
            random_state=int(rng.integers(2**31)),
        ).fit(trainset)
        return _factors(model, trainset, data)


def trainset_of(data: TrainingData) -> surprise.Trainset:
    """All stars, by rows; raises TrainingError where an interaction has none."""
    stars = data.stars.tocoo()
    if not np.isfinite(stars.data).all():
        raise TrainingError(
            "surprise_svd predicts stars, and there are interactions without any; choose another family"
        )
    frame = pd.DataFrame({"user": stars.row, "item": stars.col, "rating": stars.data})
    scale = surprise.Reader(rating_scale=(float(stars.data.min()), float(stars.data.max())))
    return surprise.Dataset.load_from_df(frame, scale).build_full_trainset()


def _factors(model: surprise.SVD, trainset: surprise.Trainset, data: TrainingData) -> Factors:
    """The library's rows are in the order in which it met users and items."""
    n_users, n_items = data.positives.shape
    users, items = np.zeros((n_users, model.n_factors)), np.zeros((n_items, model.n_factors))
    user_biases, item_biases = np.zeros(n_users), np.zeros(n_items)
    user_rows = [trainset.to_raw_uid(inner) for inner in trainset.all_users()]
    item_rows = [trainset.to_raw_iid(inner) for inner in trainset.all_items()]
    users[user_rows], user_biases[user_rows] = model.pu, model.bu
    items[item_rows], item_biases[item_rows] = model.qi, model.bi
    users[np.diff(data.positives.indptr) == 0] = 0
    return Factors(*(array.astype(np.float32) for array in (users, items, user_biases, item_biases)))
