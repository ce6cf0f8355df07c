"""Measures on the validation split how well factors rank that were fitted to the train split alone."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from training.data.dataset import Dataset
from training.evaluation.ranking import rank
from training.evaluation.targets import Targets
from training.fitting.assembly import Knowledge
from training.metrics.names import parse_metric
from training.models.base import Factors, Family, Fits, ValidatedFit, checked
from training.models.validated_fit import Measure, fit_validated
from training.params.train import TrainStage

LEARNED_FROM = ("train", "validation")


@dataclass(frozen=True)
class Validation:
    """The train data that the family `name` learns from, and the users on whom `metric` is measured."""

    name: str
    knowledge: Knowledge
    targets: Targets
    metric: str
    seed: int

    @classmethod
    def of(cls, dataset: Dataset, params: TrainStage, name: str, fits: Fits | None = None) -> "Validation":
        """Draw at most `select.validation_users` users at random. The test split isn't read."""
        knowledge = Knowledge(dataset, ("train",), params.threads, fits or Fits())
        known_ids = dataset.user_ids[knowledge.known_users]
        targets = Targets.of(known_ids, dataset, dataset.interactions("validation"))
        targets = targets.sample(params.select.validation_users, np.random.default_rng(params.seed))
        return cls(name, knowledge, targets, params.select.metric, params.seed)

    def measure(self, factors: Factors) -> float:
        """Compute the mean of the metric over the users; raise TrainingError where the factors are unusable."""
        name, k = parse_metric(self.metric)
        artifact = self.knowledge.ranking_artifact(checked(self.name, factors))
        outcome = rank(artifact, self.targets, k or 1, with_auc=name == "auc")
        return float(np.nanmean(outcome.per_user(self.metric)))

    def fit_validated(self, family: Family, measure: Measure | None = None) -> ValidatedFit:
        """Fit the family to the train split and decide what its parameters leave open."""
        data, rng = self.knowledge.weighed_data, np.random.default_rng(self.seed)
        fit = partial(fit_validated, family, data, rng, measure or self.measure, self.measure)
        with threadpool_limits(self.knowledge.threads):
            return data.fits.validated(self.name, family, fit)
