"""Fits a family and lets validation decide what its parameters leave open: epochs, and a blend's weights."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from training.models.base import Factors, Family, IterativeSection, TrainingData

Measure = Callable[[Factors], float]
"""Computes the validation metric of factors that were fitted without the validation split."""


@dataclass(frozen=True)
class ValidatedFit:
    """A family with nothing left open, its factors, their metric, and the curve of the metric after each epoch."""

    family: Family
    factors: Factors
    curve: list[float]
    metric: float


@runtime_checkable
class SelfValidating(Protocol):
    """A family that lets validation decide more than a number of epochs."""

    def fit_validated(self, data: TrainingData, rng: np.random.Generator, measure: Measure) -> ValidatedFit:
        """Fit, and decide by `measure` what the parameters leave open."""


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


def fit_validated(family: Family, data: TrainingData, rng: np.random.Generator, measure: Measure) -> ValidatedFit:
    """Fit a family, measured on validation; keep its best epoch if it has `patience`, else its last."""
    if isinstance(family, SelfValidating):
        return family.fit_validated(data, rng, measure)
    if not isinstance(family, IterativeSection):
        factors = family.fit(data, rng)
        metric = measure(factors)
        return ValidatedFit(family, factors, [metric], metric)
    stopping = EarlyStopping(measure, family.patience)
    last = family.fit(data, rng, stopping)
    if family.patience is None or stopping.best is None:
        return ValidatedFit(family, last, stopping.history, stopping.history[-1])
    decided = family.model_copy(update={"epochs": stopping.best_epoch, "patience": None})
    return ValidatedFit(decided, stopping.best, stopping.history, max(stopping.history))
