"""Makes an artifact from factors and what is known of each user."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact import Aging, Artifact, Recipe, Trends
from app.contract.artifact_format import BY_ITEM, BY_TIME, Float32Array
from app.contract.encoder import Encoder
from training.data.dataset import Dataset
from training.data.features import vectors_of
from training.data.interactions import Interactions
from training.data.people import People
from training.fitting.people import with_people
from training.models.aging import aged_popularity, trending
from training.models.base import Factors, Fits, TrainingData, checked
from training.models.encoder import encoder_of
from training.models.feature_encoder import fit_item_encoder, with_features
from training.models.histories import in_order
from training.models.item_fold_in import fit_item_fold_in


@dataclass(frozen=True)
class Knowledge:
    """The part of a data set that a model may know: some of its splits and the users in them.

    What a user has seen is every item rated there, liked or not. A user with no rating there isn't known. `fits` are
    those of the same data. With `weighed`, families learn less from positives that count less than a like.
    """

    dataset: Dataset
    splits: tuple[str, ...]
    threads: int
    fits: Fits = field(default_factory=Fits)
    weighed: bool = False
    _aged: dict[float, tuple[Float32Array | None, Aging | None]] = field(default_factory=dict, init=False)

    @cached_property
    def _interactions(self) -> Interactions:
        return self.dataset.interactions(*self.splits)

    @cached_property
    def known_users(self) -> npt.NDArray[np.int64]:
        """Rows, in the data set, of the users who are known: sorted int64."""
        return np.unique(self._interactions.users).astype(np.int64)

    @cached_property
    def training_data(self) -> TrainingData:
        """What is to be learned from, each positive being one; a row is a known user."""
        shape, liked = (self.dataset.n_users, self.dataset.n_items), self._interactions.positives()
        positives, times = liked.matrix(*shape)[self.known_users], liked.time_matrix(*shape)
        known_times = None if times is None else times[self.known_users].data
        user_features = None if self.people is None else self.people.features
        return TrainingData(
            positives, self.dataset.item_features, self.threads, self.seen, known_times, user_features, self.fits
        )

    @cached_property
    def weighed_data(self) -> TrainingData:
        """What a family learns from."""
        if not self.weighed or self.dataset.weights is None:
            return self.training_data
        weights, positives = self.dataset.weights[self.known_users], self.training_data.positives
        weighed = (positives - positives.multiply(weights > 0) + positives.multiply(weights)).tocsr()
        weighed.sort_indices()
        return replace(self.training_data, positives=weighed)

    @cached_property
    def people(self) -> People | None:
        """What is known of people, with the features of the known users; None if nothing is."""
        people = self.dataset.people
        return None if people is None else replace(people, features=people.features[self.known_users])

    @cached_property
    def seen(self) -> sparse.csr_matrix:
        """The stars where a known user has rated an item: float32 CSR (n_known_users, n_items), indices sorted."""
        return self._interactions.star_matrix(self.dataset.n_users, self.dataset.n_items)[self.known_users]

    @property
    def data_hash(self) -> str:
        """SHA-256 of all that is known."""
        return self.dataset.hash(*self.splits)

    def artifact(self, factors: Factors, recipe: Recipe, likes: npt.NDArray[np.int64] | None = None) -> Artifact:
        """The complete artifact, with its encoders; `likes` of items, where the factors know more than this data."""
        artifact = self._with_item_features(factors, recipe, likes)
        known = self.people is not None and self.people.features.nnz and artifact.user_embeddings.any()
        return with_people(artifact, self.people, self.training_data) if self.people is not None and known else artifact

    def _with_item_features(self, factors: Factors, recipe: Recipe, likes: npt.NDArray[np.int64] | None) -> Artifact:
        encoder = encoder_of(factors, self.training_data.positives)
        if not factors.item_embeddings.any():
            return self.assembled(factors, recipe, encoder)
        item_encoder, made = self.said(factors, likes)
        told = self.told(factors, made, likes)
        mean, fold_in = fit_item_fold_in(self.training_data, factors, encoder, made[:, :-1])
        artifact = self.assembled(checked(recipe.family, told), recipe, encoder)
        features = self.dataset.item_feature_entries
        return replace(
            artifact, item_encoder=item_encoder, item_features=features, fold_in_mean=mean, item_fold_in=fold_in
        )

    def said(self, factors: Factors, likes: npt.NDArray[np.int64] | None = None) -> tuple[Float32Array, Float32Array]:
        """The encoder that tells what features say of items, and what it says of each."""
        features = self.dataset.item_features
        encoder = fit_item_encoder(features, factors, self.popularity if likes is None else likes)
        return encoder, vectors_of(features, encoder)

    def told(self, factors: Factors, made: Float32Array, likes: npt.NDArray[np.int64] | None = None) -> Factors:
        """The factors with what features say of items, `made`."""
        likes = self.popularity if likes is None else likes
        rated = np.bincount(self.seen.indices, minlength=len(likes)) > 0
        return with_features(factors, made, self.dataset.item_features, likes, rated)

    def ranking_artifact(self, factors: Factors) -> Artifact:
        """An artifact that can only rank known users: it has no encoder and can't be written."""
        dim = factors.item_embeddings.shape[1]
        nothing = Encoder(np.zeros((0, dim), dtype=np.float32), np.zeros(dim, dtype=np.float32))
        return self.assembled(factors, Recipe("unfinished", {}, 0, ""), nothing)

    def assembled(self, factors: Factors, recipe: Recipe, encoder: Encoder) -> Artifact:
        """The arrays of the factors as they are, and of what is known of users and items."""
        if factors.half_life not in self._aged:
            self._aged[factors.half_life] = aged_popularity(self.training_data, factors.half_life) or (None, None)
        aged, aging = self._aged[factors.half_life]
        counts, trends = self._trending
        return Artifact(
            recipe=recipe,
            user_ids=self.dataset.user_ids[self.known_users],
            item_ids=self.dataset.item_ids,
            user_embeddings=factors.user_embeddings,
            item_embeddings=factors.item_embeddings,
            item_biases=factors.item_biases,
            item_popularity=self.popularity,
            seen_indptr=self.seen.indptr.astype(np.int64),
            seen_indices=self.seen.indices[self._seen_order].astype(np.int32),
            seen_liked=self._seen_liked[self._seen_order],
            encoder=encoder.weights,
            encoder_intercept=encoder.intercept,
            catalogue=self.dataset.packed,
            aged_popularity=aged,
            aging=aging,
            trending=counts,
            trends=trends,
            recency=encoder.recency or 0.0,
            seen_order=BY_ITEM if self._seen_times is None else BY_TIME,
        )

    @cached_property
    def popularity(self) -> npt.NDArray[np.int64]:
        """Positives per item: int64 (n_items,)."""
        return np.asarray(self.training_data.positives.sum(axis=0), dtype=np.int64).ravel()

    @cached_property
    def _trending(self) -> tuple[Float32Array | None, Trends | None]:
        return trending(self.training_data) or (None, None)

    @cached_property
    def _seen_order(self) -> npt.NDArray[np.int64]:
        """The places of `seen`, user by user, from the oldest to the newest."""
        return in_order(self.seen, self._seen_times)

    @cached_property
    def _seen_times(self) -> npt.NDArray[np.float64] | None:
        times = self._interactions.time_matrix(self.dataset.n_users, self.dataset.n_items)
        return None if times is None else times[self.known_users].data

    @cached_property
    def _seen_liked(self) -> npt.NDArray[np.bool_]:
        """Which of `seen` are positives: bool, parallel to its indices."""
        known = self._interactions
        liked = replace(known, stars=known.positive.astype(np.float32))
        matrix = liked.star_matrix(self.dataset.n_users, self.dataset.n_items)[self.known_users]
        return np.asarray(matrix.data > 0)
