"""A blend of other families: concatenated embeddings, so that its score is a weighted sum of theirs."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder
from training.models import make_family
from training.models.base import Factors, Family, TrainingData, ValidatedFit, Watch
from training.models.validated_fit import Measure, fit_validated
from training.params.section import Section
from training.progress import progress, say

STEPS = (0.0, 0.5, 0.7, 1.4, 2.0)  # factors of a member's weight that are tried, member by member
ROUNDS = 2
EPSILON = np.finfo(np.float32).eps
ENOUGH_USERS = 2000  # from which on weights are taken as validation chooses them

Float64Array = npt.NDArray[np.float64]
Weight = Annotated[float, Field(ge=0)]


class Blend(Section):
    """The members with their parameters, and their weights; null: validation chooses them.

    A weight is relative to the spread of a member's scores, which is their standard deviation for a user. With
    `embedding_size`, the concatenation is cut to that many numbers.
    """

    members: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]
    weights: dict[str, Weight] | None
    embedding_size: Annotated[int, Field(ge=1)] | None = None  # recipes of older versions lack it

    @model_validator(mode="after")
    def _members_and_weights_are_valid(self) -> "Blend":
        if "blend" in self.members:
            raise ValueError("members: a blend can't be a member of itself; name its members")
        for name, params in self.members.items():
            make_family(name, params, where=f"params.yaml: models.blend.members.{name}")
        if self.weights is not None and self.weights.keys() != self.members.keys():
            raise ValueError(f"weights must name the members {list(self.members)}, not {list(self.weights)}")
        if self.weights is not None and not any(self.weights.values()):
            raise ValueError("weights: at least one must be above 0")
        return self

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Fit the members one by one and mix them, with equal weights if none are given.

        Raises ParamsError or TrainingError where a member does.
        """
        weights = self._weights() or [1.0] * len(self.members)
        counted = [(member, weight) for member, weight in zip(self._families(), weights, strict=True) if weight]
        # Each member has the random numbers that it would have alone, so that it learns the same.
        parts = [
            data.fits.whole(name, member, partial(member.fit, data, deepcopy(rng))) for (name, member), _ in counted
        ]
        return self._mixed(parts, [weight for _, weight in counted])

    def fit_validated(
        self, data: TrainingData, rng: np.random.Generator, measure: Measure, judge: Measure
    ) -> ValidatedFit:
        """Fit each member with validation; then choose the weights by `judge`, unless they are given."""
        members = [
            data.fits.validated(name, member, partial(fit_validated, member, data, deepcopy(rng), measure, judge))
            for name, member in self._families()
        ]
        parts = [member.factors for member in members]
        weights = self._weights() or _shrunk(
            _best_weights(parts, judge), int(np.count_nonzero(np.diff(data.positives.indptr)))
        )
        self._say(weights)
        params = [member.family.model_dump(mode="json") for member in members]
        decided = {
            "members": dict(zip(self.members, params, strict=True)),
            "weights": dict(zip(self.members, weights, strict=True)),
        }
        factors = self._mixed(parts, weights)
        metric = judge(factors)
        return ValidatedFit(self.model_copy(update=decided), factors, [metric], metric)

    def _families(self) -> list[tuple[str, Family]]:
        return [(name, make_family(name, params)) for name, params in self.members.items()]

    def _mixed(self, parts: Sequence[Factors], weights: Sequence[float]) -> Factors:
        mixed = mix(parts, weights)
        return mixed if self.embedding_size is None else cut(mixed, self.embedding_size)

    def _say(self, weights: Sequence[float]) -> None:
        named = dict(zip(self.members, weights, strict=True))
        say(f"blend: weights {', '.join(f'{name} {weight:.2f}' for name, weight in named.items())}")
        for name in (name for name, weight in named.items() if weight == 0):
            say(f"blend: {name} is left out, its weight is 0: take it out of members to save its fit on validation")

    def _weights(self) -> list[float] | None:
        return None if self.weights is None else [self.weights[name] for name in self.members]


def mix(parts: Sequence[Factors], weights: Sequence[float]) -> Factors:
    """Concatenate the embeddings, (n, sum of dims), scaled so that the spread of each part's scores is its weight.

    All parts' user vectors get the same mean length, so that each part has its say in which items are similar.
    """
    scaled = [_scaled(part, weight) for part, weight in zip(parts, weights, strict=True) if weight > 0]
    return Factors(
        user_embeddings=np.hstack([part.user_embeddings for part in scaled]),
        item_embeddings=np.hstack([part.item_embeddings for part in scaled]),
        user_biases=np.zeros(len(parts[0].user_biases), dtype=np.float32),
        item_biases=np.sum([part.item_biases for part in scaled], axis=0, dtype=np.float32),
        encoder=_concatenated([part.encoder for part in scaled]),
    )


def _concatenated(encoders: Sequence[Encoder | None]) -> Encoder | None:
    """One encoder for all, if every member has one; its recency is open, as members may differ in theirs."""
    known = [encoder for encoder in encoders if encoder is not None]
    if len(known) < len(encoders):
        return None
    return Encoder(np.hstack([each.weights for each in known]), np.hstack([each.intercept for each in known]))


def _mapped(encoder: Encoder, mapping: Callable[[Float32Array], Float32Array]) -> Encoder:
    return encoder._replace(weights=mapping(encoder.weights), intercept=mapping(encoder.intercept))


def cut(factors: Factors, size: int) -> Factors:
    """Cut embeddings to (n, size) at most: of all products of that rank the closest to the one of before.

    Method: QR of both sides, singular values of the product of what is left of them (Eckart, Young, 1936).
    """
    if factors.item_embeddings.shape[1] <= size:
        return factors
    triangle: Float64Array = np.asarray(np.linalg.qr(factors.user_embeddings, mode="r"), dtype=np.float64)
    basis, items = np.linalg.qr(factors.item_embeddings)
    _, strengths, right = np.linalg.svd(triangle @ items.T, full_matrices=False)
    root, rotation = np.sqrt(np.maximum(strengths[:size], strengths[0] * EPSILON or 1)), right[:size].T
    project = (items.T @ rotation / root).astype(np.float32)  # turns user vectors of before into those of after
    return replace(
        factors,
        user_embeddings=factors.user_embeddings @ project,
        item_embeddings=basis @ (rotation * root).astype(np.float32),
        encoder=None if factors.encoder is None else _mapped(factors.encoder, lambda array: array @ project),
    )


def _scaled(part: Factors, weight: float) -> Factors:
    known = part.user_embeddings[part.user_embeddings.any(axis=1)].astype(np.float64)
    length = np.sqrt((known**2).sum(axis=1).mean()) if len(known) else 1.0
    spread = score_spread(known, part)
    factor = weight / spread if spread > 0 else 0.0
    return Factors(
        user_embeddings=(part.user_embeddings / length).astype(np.float32),
        encoder=None if part.encoder is None else _mapped(part.encoder, lambda array: array / np.float32(length)),
        item_embeddings=(part.item_embeddings * (factor * length)).astype(np.float32),
        user_biases=part.user_biases,
        item_biases=(part.item_biases * factor).astype(np.float32),
    )


def score_spread(users: Float64Array, part: Factors) -> float:
    """Compute the standard deviation of a user's scores over all items, averaged over `users` (n, dim).

    It follows from the items' covariance, without computing a score. Without users it is that of the item biases.
    """
    items = np.column_stack([part.item_embeddings, part.item_biases]).astype(np.float64)
    covariance = np.atleast_2d(np.cov(items, rowvar=False, bias=True))
    users = np.column_stack([users, np.ones(len(users))])
    if not len(users):
        return float(np.sqrt(covariance[-1, -1]))
    variances = np.einsum("ud,de,ue->u", users, covariance, users, optimize=True)
    return float(np.sqrt(np.maximum(variances, 0)).mean())


def _best_weights(parts: Sequence[Factors], measure: Measure) -> list[float]:
    """Start from equal weights and change one after the other, as long as the validation metric rises."""
    weights = [1.0] * len(parts)
    best = measure(mix(parts, weights))
    trials = [(member, step) for _ in range(ROUNDS) for member in range(len(parts)) for step in STEPS]
    for member, step in progress(trials if len(parts) > 1 else [], "weights", "trial"):
        changed = [weight * step if other == member else weight for other, weight in enumerate(weights)]
        if any(changed) and (metric := measure(mix(parts, changed))) > best:
            weights, best = changed, metric
    return weights


def _shrunk(weights: Sequence[float], n_users: int) -> list[float]:
    """Draw weights that few users chose towards equal ones: they fit those users, and others less well."""
    share = min(1.0, n_users / ENOUGH_USERS)
    mean = sum(weights) / len(weights)
    return [share * weight / mean + 1 - share for weight in weights]
