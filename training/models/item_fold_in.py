"""Fits the fold-in of items: how far the people who like an item move it from what its features say."""

import numpy as np

from app.contract.artifact_format import Float32Array, Float64Array
from app.contract.encoder import Encoder
from app.contract.item_fold_in import ItemFoldIn
from training.models.base import Factors, TrainingData
from training.models.feature_encoder import HALF
from training.models.histories import weighted_by_age

LEAST = 3  # likes of an item that is learned from
MOST = 2000  # items that are learned from: enough for one number


class Likers:
    """Those who like an item, whose vectors the encoder makes of all else that they like, at its age."""

    def __init__(self, data: TrainingData, encoder: Encoder) -> None:
        weighted = weighted_by_age(data, encoder.recency)
        self.likes = np.bincount(weighted.indices, minlength=weighted.shape[1])
        self._encoder, self._of_items = encoder, weighted.tocsc()
        self._liked, self._histories = np.diff(weighted.indptr), weighted @ encoder.weights

    def vectors(self, item: int, most: int | None = None, rng: np.random.Generator | None = None) -> Float64Array:
        """Of all who like something else, too, or of so many of them at random: float64 (n, dim)."""
        place = slice(self._of_items.indptr[item], self._of_items.indptr[item + 1])
        users, own = self._of_items.indices[place], self._of_items.data[place]
        chosen = np.flatnonzero(self._liked[users] > 1)
        if most is not None and rng is not None and len(chosen) > most:
            chosen = rng.choice(chosen, most, replace=False)
        users, own = users[chosen], own[chosen][:, None]
        sizes = np.sqrt(self._liked[users][:, None] - own**2)
        made: Float64Array = (self._histories[users] - own * self._encoder.weights[item]) / sizes
        return made + self._encoder.intercept


def fit_item_fold_in(
    data: TrainingData, factors: Factors, encoder: Encoder, made: Float32Array
) -> tuple[Float32Array, ItemFoldIn]:
    """Return the mean of scaled users, float32 (dim,), and the constants of the fold-in.

    `made`: float32 (n_items, dim), what features say. An item with n likes is made + n / (n + 30) · kappa · (mean of
    the users who like it - mean of all users), users being scaled to their root mean square length. kappa is the least
    squares' of the learned vectors, in the metric of users' scores, with users made by the encoder of all else that
    they like, at its age. It is 0 where no item has enough likes.
    """
    users = factors.user_embeddings[factors.user_embeddings.any(axis=1)]
    length = float(np.sqrt(np.einsum("ud,ud->u", users, users).mean(dtype=np.float64))) if len(users) else 0.0
    one = ItemFoldIn(1.0, length, HALF)
    mean = one.scaled(users).mean(axis=0) if len(users) else np.zeros(made.shape[1])
    likers = Likers(data, encoder)
    items = np.flatnonzero(likers.likes >= LEAST)
    items = np.unique(items[np.linspace(0, len(items) - 1, min(MOST, len(items))).astype(np.int64)])
    moved, wanted = np.zeros((2, len(items), made.shape[1]))
    for number, item in enumerate(items):
        crowd = likers.vectors(int(item))
        if len(crowd):
            moved[number] = one.moved(one.scaled(crowd).sum(axis=0), len(crowd), mean)
            wanted[number] = factors.item_embeddings[item] - made[item]
    metric = users.astype(np.float64).T @ users
    size = float(np.einsum("id,de,ie->", moved, metric, moved, optimize=True))
    kappa = float(np.einsum("id,de,ie->", moved, metric, wanted, optimize=True)) / size if size > 0 else 0.0
    return mean.astype(np.float32), one._replace(kappa=max(kappa, 0.0))
