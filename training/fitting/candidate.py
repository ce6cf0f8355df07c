"""Fits one candidate, for `train`, `refit` and the comparison with the live recipe."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from app.contract.artifact import Artifact, Recipe
from training.data.dataset import Dataset
from training.fitting.assembly import Knowledge
from training.fitting.newcomers import NOTHING_CHOSEN, Newcomers, mean_user, newcomers
from training.fitting.validation import LEARNED_FROM, Validation
from training.fitting.weighing import Weighing, fit_weighed
from training.models import make_family
from training.models.base import Family, Fits, checked
from training.models.encoder import with_recency
from training.params.train import TrainStage


@dataclass(frozen=True)
class Trained:
    """A fitted artifact, its family as validation decided it, the metric after each epoch and that of the best one."""

    artifact: Artifact
    family: Family
    curve: list[float]
    metric: float
    newcomers: Newcomers = NOTHING_CHOSEN
    weighing: Weighing | None = None


def fit_candidate(dataset: Dataset, params: TrainStage, candidate: str, fits: Fits | None = None) -> Trained:
    """Fit on train and decide on validation; then fit on both with the best epochs and weights."""
    fits = fits or Fits()
    family = make_family(candidate, params.models.get(candidate, {}))
    validation = Validation.of(dataset, params, candidate, fits)
    validated, weighing = fit_weighed(validation, family)
    chosen = newcomers(validation, validated.factors)
    knowledge = Knowledge(dataset, LEARNED_FROM, params.threads, fits)
    if weighing is not None and weighing.is_better:
        knowledge = replace(knowledge, weighed=True, fits=Fits())
    artifact = fit_artifact(knowledge, candidate, validated.family, params.seed, chosen)
    return Trained(artifact, validated.family, validated.curve, validated.metric, chosen, weighing)


def fit_artifact(
    knowledge: Knowledge, name: str, family: Family, seed: int, newcomers: Newcomers = NOTHING_CHOSEN
) -> Artifact:
    """Fit a family on all of `knowledge`, without early stopping; `newcomers` says what becomes of them.

    Raises TrainingError where the result holds NaN, infinity or numbers beyond reason.
    """
    data = knowledge.weighed_data
    with threadpool_limits(knowledge.threads):
        factors = data.fits.whole(name, family, partial(family.fit, data, np.random.default_rng(seed)))
        factors = checked(name, with_recency(factors, knowledge.training_data.positives, newcomers.recency))
    if not newcomers.features:
        factors = replace(factors, adds_features=False)
    artifact = knowledge.artifact(factors, Recipe(name, family.model_dump(mode="json"), seed, knowledge.data_hash))
    if artifact.item_fold_in is not None:
        artifact = replace(artifact, item_fold_in=artifact.item_fold_in.times(newcomers.fold_in))
    if not newcomers.weight:
        return artifact
    return replace(artifact, mean_user=mean_user(factors), newcomer_weight=newcomers.weight)
