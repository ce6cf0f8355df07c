"""The `train` stage: decide on validation what parameters leave open, then fit on train and validation together."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from app.artifact import Artifact, Recipe, content_hash, write_artifact
from training.assembly import Knowledge
from training.dataset import Dataset, load_dataset
from training.files import write_csv, write_json
from training.models import make_family
from training.models.base import Family, checked
from training.params import Params
from training.project import Project
from training.validation import LEARNED_FROM, Validation


@dataclass(frozen=True)
class Trained:
    """A fitted artifact, the family as settled on validation, the metric after each epoch and that of the choice."""

    artifact: Artifact
    family: Family
    curve: list[float]
    metric: float


def train(project: Project, params: Params, candidate: str) -> None:
    """Write a candidate's artifact, its recipe with the epochs found, and its learning curve."""
    dataset, started = load_dataset(project.prepared, LEARNED_FROM), time.perf_counter()
    trained = fit_candidate(dataset, params, candidate)
    seconds = time.perf_counter() - started
    write_artifact(project.model(candidate), trained.artifact)
    # No output of the stage: equal trainings give equal bytes, and no two take equally long. With the hash, the
    # time of another training isn't taken for that of an artifact restored from DVC's cache.
    record = {"content_hash": content_hash(project.model(candidate)), "fit_seconds": round(seconds, 3)}
    write_json(project.seconds(candidate), record)
    recipe = trained.artifact.recipe
    write_json(
        project.training(candidate),
        {
            "family": recipe.family,
            "params": recipe.params,
            "seed": recipe.seed,
            "validation": {params.select.metric: trained.metric},
        },
    )
    epochs = range(1, len(trained.curve) + 1)
    write_csv(project.plot("learning", candidate), pd.DataFrame({"epoch": epochs, "value": trained.curve}))


def fit_candidate(dataset: Dataset, params: Params, candidate: str) -> Trained:
    """Fit on train, watched on validation; then on both, with the epochs and weights that were best."""
    family = make_family(candidate, params.models.get(candidate, {}))
    found = Validation.of(dataset, params, candidate).settle(family)
    knowledge = Knowledge(dataset, LEARNED_FROM, params.threads)
    artifact = fit_artifact(knowledge, candidate, found.family, params.seed)
    return Trained(artifact, found.family, found.curve, found.metric)


def fit_artifact(knowledge: Knowledge, name: str, family: Family, seed: int) -> Artifact:
    """Fit a family on all that is known, without stopping early.

    Raises TrainingError where the result holds NaN, infinity or numbers beyond reason.
    """
    with threadpool_limits(knowledge.threads):
        factors = checked(name, family.fit(knowledge.training_data, np.random.default_rng(seed)))
    return knowledge.artifact(factors, Recipe(name, family.model_dump(mode="json"), seed, knowledge.data_hash))
