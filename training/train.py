"""The `train` stage: find the number of epochs on validation, then fit on train and validation together."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from app.artifact import Artifact, Recipe, write_artifact
from training.assembly import Knowledge
from training.dataset import Dataset, load_dataset
from training.errors import TrainingError
from training.evaluation import Targets, rank
from training.files import write_csv, write_json
from training.metrics.names import parse_metric
from training.models import make_family
from training.models.base import Factors, Family, IterativeSection
from training.params import Params
from training.project import Project


@dataclass
class EarlyStopping:
    """Follows the validation metric and ends a fit after `patience` epochs without a better one."""

    measure: Callable[[Factors], float]
    patience: int | None
    history: list[float] = field(default_factory=list)

    def __call__(self, epoch: int, factors: Callable[[], Factors]) -> bool:
        """Measure after an epoch; True ends the fit."""
        self.history.append(self.measure(factors()))
        return self.patience is not None and epoch - self.best_epoch >= self.patience

    @property
    def best_epoch(self) -> int:
        """The first epoch with the best metric, counted from 1."""
        return int(np.argmax(self.history)) + 1


@dataclass(frozen=True)
class Trained:
    """A fitted artifact, the family with the epochs found, and the validation metric after each epoch."""

    artifact: Artifact
    family: Family
    validation: list[float]


def train(project: Project, params: Params, candidate: str) -> None:
    """Write a candidate's artifact, its recipe with the epochs found, and its learning curve."""
    trained = fit_candidate(load_dataset(project.prepared), params, candidate)
    write_artifact(project.model(candidate), trained.artifact)
    recipe = trained.artifact.recipe
    best = max(trained.validation)
    write_json(
        project.training(candidate),
        {
            "family": recipe.family,
            "params": recipe.params,
            "seed": recipe.seed,
            "validation": {params.select.metric: best},
        },
    )
    epochs = range(1, len(trained.validation) + 1)
    write_csv(project.plot("learning", candidate), pd.DataFrame({"epoch": epochs, "value": trained.validation}))


def fit_candidate(dataset: Dataset, params: Params, candidate: str) -> Trained:
    """Fit on train, watched on validation; then on both, for as many epochs as were best."""
    family = make_family(candidate, params.models.get(candidate, {}))
    stopping = _watched_fit(dataset, params, candidate, family)
    if isinstance(family, IterativeSection) and family.patience is not None:
        family = family.model_copy(update={"epochs": stopping.best_epoch, "patience": None})
    artifact = fit_artifact(Knowledge(dataset, ("train", "validation"), params.threads), candidate, family, params.seed)
    return Trained(artifact, family, stopping.history)


def fit_artifact(knowledge: Knowledge, name: str, family: Family, seed: int) -> Artifact:
    """Fit a family on all that is known, without stopping early.

    Raises TrainingError where the result holds NaN, infinity or numbers beyond reason.
    """
    factors = _checked(name, family.fit(knowledge.training_data, np.random.default_rng(seed)))
    return knowledge.artifact(factors, Recipe(name, family.model_dump(mode="json"), seed, knowledge.data_hash))


def _checked(name: str, factors: Factors) -> Factors:
    if not factors.is_usable():
        raise TrainingError(
            f"{name} learned NaN, infinite or huge numbers; lower its learning rate or regularisation in params.yaml"
        )
    return factors


def _watched_fit(dataset: Dataset, params: Params, candidate: str, family: Family) -> EarlyStopping:
    knowledge = Knowledge(dataset, ("train",), params.threads)
    known_ids = dataset.user_ids[knowledge.known_users]
    targets = Targets.of(known_ids, dataset, dataset.interactions("validation"))
    targets = targets.sample(params.select.validation_users, np.random.default_rng(params.seed))
    metric, k = parse_metric(params.select.metric)

    def measure(factors: Factors) -> float:
        artifact = knowledge.ranking_artifact(_checked(candidate, factors))
        outcome = rank(artifact, targets, k or 1, with_auc=metric == "auc")
        return float(np.nanmean(outcome.per_user(params.select.metric)))

    stopping = EarlyStopping(measure, family.patience if isinstance(family, IterativeSection) else None)
    factors = family.fit(knowledge.training_data, np.random.default_rng(params.seed), stopping)
    if not stopping.history:
        stopping(1, lambda: factors)
    return stopping
