"""Fits a family and lets validation decide what is left open: epochs, a rule's factor, a size, a blend's weights."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from training.models.base import Factors, Family, IterativeSection, TrainingData, ValidatedFit
from training.models.climb import Adjustable, FollowsData, climb
from training.models.histories import best_or_zero, tried
from training.progress import say

LEAST_SIZE = 16  # of embeddings that are halved

Measure = Callable[[Factors], float]
"""Computes the validation metric of factors that were fitted without the validation split."""


@runtime_checkable
class SelfValidating(Protocol):
    """A family that lets validation decide more than a number of epochs."""

    def fit_validated(
        self, data: TrainingData, rng: np.random.Generator, measure: Measure, judge: Measure
    ) -> ValidatedFit:
        """Fit, and decide what the parameters leave open: epochs by `measure`, all else by `judge`."""


@runtime_checkable
class WeighsByAge(Adjustable, Protocol):
    """A family that may weigh a user's newest positives more; it learns the same of items then."""

    @property
    def recency_power(self) -> float | None:
        """How much more; None: validation chooses."""

    def with_recency(self, data: TrainingData, factors: Factors) -> Factors:
        """Return the factors with users of the family's recency_power."""


@runtime_checkable
class MayEncodeUsers(Protocol):
    """A family that may make its users' vectors by the fold-in encoder, in its `with_recency`."""

    @property
    def encode_users(self) -> bool | None:
        """Whether it does; None: validation chooses."""


@runtime_checkable
class MayBeSmaller(Adjustable, Protocol):
    """A family that may learn less by heart with smaller embeddings."""

    @property
    def embedding_size(self) -> int:
        """The largest size."""

    @property
    def validate_size(self) -> bool:
        """Whether validation may choose a smaller one."""


@runtime_checkable
class MayLearnAttributes(Adjustable, Protocol):
    """A family that may learn from what is known of people while it fits."""

    @property
    def user_features(self) -> bool | None:
        """Whether it does; None: validation chooses."""


@dataclass
class EarlyStopping:
    """Measures after each epoch, and ends a fit after `patience` epochs without a better metric."""

    measure: Measure
    patience: int | None
    history: list[float] = field(default_factory=list)
    best: Factors | None = None

    def __call__(self, epoch: int, factors: Callable[[], Factors]) -> bool:
        """Measure after an epoch; True ends the fit."""
        current = factors()
        self.history.append(self.measure(current))
        if self.best_epoch == epoch:
            self.best = current
        return self.patience is not None and epoch - self.best_epoch >= self.patience

    @property
    def best_epoch(self) -> int:
        """The first epoch with the best metric, counted from 1."""
        return int(np.argmax(self.history)) + 1


def fit_validated(
    family: Family, data: TrainingData, rng: np.random.Generator, measure: Measure, judge: Measure | None = None
) -> ValidatedFit:
    """Fit a family, measured on validation; keep its best epoch if it has `patience`, else its last."""
    return _Fitting(data, rng, measure, judge or measure).fit(family)


@dataclass(frozen=True)
class _Fitting:
    """All that a fit needs beside the family: `measure` is asked after each epoch, `judge` for all other choices."""

    data: TrainingData
    rng: np.random.Generator
    measure: Measure
    judge: Measure

    def fit(self, family: Family) -> ValidatedFit:
        """Fit a family, and choose what it leaves open."""
        if isinstance(family, SelfValidating):
            return family.fit_validated(self.data, deepcopy(self.rng), self.measure, self.judge)
        if isinstance(family, MayLearnAttributes) and family.user_features is None:
            return self._fit_attributes(family)
        if isinstance(family, FollowsData):
            return self._fit_numbers(family)
        if isinstance(family, MayBeSmaller) and family.validate_size:
            return self._fit_sizes(family)
        return self._fit_whole(family, self.measure)

    def _fit_attributes(self, family: MayLearnAttributes) -> ValidatedFit:
        """Fit without attributes and, where there are any, with them; keep the better."""
        without = self.fit(family.model_copy(update={"user_features": False}))
        if self.data.user_features is None:
            return without
        learned = self.fit(family.model_copy(update={"user_features": True}))
        say(f"validation: without attributes {without.metric:.4f}, with them {learned.metric:.4f}")
        return max(without, learned, key=lambda fit: fit.metric)

    def _fit_sizes(self, family: MayBeSmaller) -> ValidatedFit:
        """Fit the whole size; then halve it again and again, as long as the metric rises."""
        whole = family.model_copy(update={"validate_size": False})
        best, size = self._fit_whole(whole, self.measure), family.embedding_size // 2
        while size >= LEAST_SIZE:
            fit = self._fit_whole(whole.model_copy(update={"embedding_size": size}), self.judge)
            say(f"validation: embedding_size {size}: {fit.metric:.4f}, the best so far {best.metric:.4f}")
            if fit.metric <= best.metric:
                break
            best, size = fit, size // 2
        return best

    def _fit_numbers(self, family: FollowsData) -> ValidatedFit:
        """Fit with the numbers that follow from the data, and with those that drafts prefer; keep the better.

        Drafts may mislead: what suits small embeddings need not suit large ones.
        """
        resolved = family.resolved(self.data)
        if not resolved.validate_rule:
            return self._fit_whole(resolved, self.measure)
        preferred = climb(resolved, lambda option: self.judge(option.draft().fit(self.data, deepcopy(self.rng))))
        ruled = resolved.model_copy(update={"validate_rule": False})
        fits = [self._fit_whole(ruled, self.measure)]
        if preferred != ruled:
            fits.append(self._fit_whole(preferred, self.measure))
            ruled_by, drafted = (f"{fit.metric:.4f}" for fit in fits)
            say(f"validation: with the rule's numbers {ruled_by}, with those of the drafts {drafted}")
        return max(fits, key=lambda fit: fit.metric)

    def _fit_whole(self, family: Family, measure: Measure) -> ValidatedFit:
        return self._with_users(self._fit_epochs(family, measure))

    def _fit_epochs(self, family: Family, measure: Measure) -> ValidatedFit:
        if not isinstance(family, IterativeSection):
            factors = family.fit(self.data, deepcopy(self.rng))
            metric = measure(factors)
            return ValidatedFit(family, factors, [metric], metric)
        stopping = EarlyStopping(measure, family.patience)
        last = family.fit(self.data, deepcopy(self.rng), stopping)
        if family.patience is None or stopping.best is None:
            return ValidatedFit(family, last, stopping.history, stopping.history[-1])
        decided = family.model_copy(update={"epochs": stopping.best_epoch, "patience": None})
        return ValidatedFit(decided, stopping.best, stopping.history, max(stopping.history))

    def _with_users(self, fit: ValidatedFit) -> ValidatedFit:
        """Let validation choose how users' vectors are made of the factors, where that is left open."""
        if not isinstance(fit.family, WeighsByAge):
            return fit
        choices = _open_choices(fit.family, tried(self.data))
        fits = [replace(fit, family=fit.family.model_copy(update=choices[0]))]
        for changes in choices[1:]:
            option = fit.family.model_copy(update=changes)
            # The encoder of the vectors as fitted serves all options, and takes longest.
            factors = option.with_recency(self.data, replace(fit.factors, encoder=fits[-1].factors.encoder))
            fits.append(replace(fit, family=option, factors=factors, metric=self.judge(factors)))
        ranked = sorted(zip(choices, fits, strict=True), key=lambda each: each[1].metric)
        best: dict[float, ValidatedFit] = {changes["recency_power"]: each for changes, each in ranked}
        return best[best_or_zero({power: each.metric for power, each in best.items()})]


def _open_choices(family: WeighsByAge, powers: tuple[float, ...]) -> list[dict[str, Any]]:
    """Parameters that complete the family; recency_power is one of the powers."""
    powers = powers if family.recency_power is None else (family.recency_power,)
    if isinstance(family, MayEncodeUsers) and family.encode_users is None:
        learned = {"encode_users": False, "recency_power": 0.0}
        return [learned, *({"encode_users": True, "recency_power": power} for power in powers)]
    return [{"recency_power": power} for power in powers]
