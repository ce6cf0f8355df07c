"""The model artifact: what training has learned, as arrays; artifact_directory.py writes and reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import BY_ITEM, Float32Array
from app.contract.catalogue import Catalogue
from app.contract.columns import Column
from app.contract.events import DEFAULT_TYPES, Described
from app.contract.item_fold_in import ItemFoldIn


@dataclass(frozen=True)
class Recipe:
    """What an artifact was made from."""

    family: str
    params: Mapping[str, Any]
    seed: int
    data_hash: str


Feature = Mapping[str, Any]  # which value of which column it is, as docs/artifact.md has it


class LearnedEvents(NamedTuple):
    """The events that the model has learned from: those of a store (a UUID) up to and including a position."""

    store: str
    until: int


class Aging(NamedTuple):
    """A positive counts half as much for each `half_life` in seconds that it is older than `at`, seconds since 1970."""

    half_life: float
    at: float


class Trends(NamedTuple):
    """The half-lives, in seconds, of each row of `trending`, and the time, in seconds since 1970, that it is of."""

    half_lives: Sequence[float]
    at: float


@dataclass(frozen=True)
class Artifact:
    """A trained model as arrays; the row number in `user_ids` or `item_ids` is the internal id.

    Score of an item for a user = user_embedding · item_embedding + item_bias. The items that a user has rated are
    the CSR row `seen_indices[seen_indptr[u]:seen_indptr[u + 1]]`; `seen_liked`, parallel to it, tells the positives.
    With the `seen_order` `time` a user's are in the order of time, with `item` in that of rows. A new user's vector is
    that of `encoder.Encoder` with `recency`, drawn towards `mean_user`, which counts like `newcomer_weight` liked
    items. Ids are sorted and unique.
    `ready_items`, if there, are each user's first unseen items as `Recommender` ranks them, padded with -1;
    `ready_scores` are their scores by `ready_scores.as_millionths`. Ratings of at least `min_rating` stars were
    positives; None: all were. `item_encoder` makes an item's vector and bias from its `item_features` and a constant,
    which is the last row; `user_encoder` a user's vector from `user_features`, which follow from the attributes that
    `user_columns` names, and `of_strangers` adds `first_likes` to it. `item_fold_in` is there with `fold_in_mean`, the
    mean of the scaled users. `aged_popularity`, positives that count by `aging`, ranks items for somebody of whom
    nothing is known, and `trending`, the same with the half-lives of `trends`, says what is liked of late.
    `event_types` are the further types that `events.Described` has.
    """

    recipe: Recipe
    user_ids: npt.NDArray[Any]
    item_ids: npt.NDArray[Any]
    user_embeddings: Float32Array
    item_embeddings: Float32Array
    item_biases: Float32Array
    item_popularity: npt.NDArray[np.int64]
    seen_indptr: npt.NDArray[np.int64]
    seen_indices: npt.NDArray[np.int32]
    seen_liked: npt.NDArray[np.bool_]
    encoder: Float32Array
    encoder_intercept: Float32Array
    catalogue: Catalogue
    ready_items: npt.NDArray[np.int32] | None = None
    ready_scores: npt.NDArray[np.int32] | None = None
    item_encoder: Float32Array | None = None
    user_encoder: Float32Array | None = None
    mean_user: Float32Array | None = None
    first_likes: Float32Array | None = None
    fold_in_mean: Float32Array | None = None
    aged_popularity: Float32Array | None = None
    trending: Float32Array | None = None
    events: LearnedEvents | None = None
    min_rating: float | None = None
    newcomer_weight: float = 0.0
    recency: float = 0.0
    seen_order: str = BY_ITEM
    item_features: Sequence[Feature] = ()
    user_features: Sequence[Feature] = ()
    item_fold_in: ItemFoldIn | None = None
    aging: Aging | None = None
    trends: Trends | None = None
    user_columns: Sequence[Column] = ()
    event_types: Described = field(default_factory=lambda: DEFAULT_TYPES)

    @property
    def popularity_scores(self) -> Float32Array:
        """What ranks items for somebody of whom nothing is known: float32 (n_items,)."""
        return self.item_popularity.astype(np.float32) if self.aged_popularity is None else self.aged_popularity

    def of_strangers(self, starts: Float32Array) -> Float32Array:
        """Make the vectors of people who like nothing yet of what attributes say of them: float32, (n, dim) or (dim,).

        What people like first is not what they like in all.
        """
        return starts if self.first_likes is None else starts + self.first_likes

    def start_of(self, stranger: Float32Array) -> Float32Array:
        """What attributes say of a person who likes nothing yet, and whose vector this is: float32 (dim,)."""
        return stranger if self.first_likes is None or not stranger.any() else stranger - self.first_likes
