"""The `train` stage: decides on validation what the parameters leave open, then fits on train and validation."""

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from app.contract.artifact import Recipe
from app.contract.artifact_directory import content_hash, write_artifact
from training.data.dataset import load_dataset
from training.files import significant, write_csv, write_json
from training.fitting.candidate import fit_candidate
from training.fitting.chance import other_seeds
from training.fitting.kept_fits import KeptFits
from training.fitting.validation import LEARNED_FROM, Validation
from training.params.train import TrainStage
from training.project import Project


def train(project: Project, params: TrainStage, candidate: str, shared: Collection[str] = ()) -> None:
    """Write a candidate's artifact, its recipe with the epochs that validation chose, and its learning curve.

    Families that are `shared` with other candidates are fitted once; the time of it counts for each.
    """
    dataset, started = load_dataset(project.prepared, LEARNED_FROM), time.perf_counter()
    fits = KeptFits.of(project, params, dataset, shared)
    trained = fit_candidate(dataset, params, candidate, fits)
    seconds = time.perf_counter() - started + fits.seconds_saved
    write_artifact(project.model(candidate), trained.artifact)
    more: dict[str, Any] = {"newcomers": trained.newcomers._asdict()}
    if trained.weighing is not None:
        more["event_weights"] = {**vars(trained.weighing), "used": trained.weighing.is_better}
    if params.select.seeds > 1:
        validation = Validation.of(dataset, params, candidate)
        weighed = trained.weighing is not None and trained.weighing.is_better
        validation = replace(validation, knowledge=replace(validation.knowledge, weighed=weighed))
        more["other_seeds"] = other_seeds(validation, trained.family, params.select.seeds)
    record(project, params, candidate, Training(trained.artifact.recipe, trained.curve, trained.metric, seconds, more))


@dataclass(frozen=True)
class Training:
    """What is written of a training beside its artifact. `more` is for people, by name."""

    recipe: Recipe
    curve: list[float]
    metric: float
    seconds: float
    more: Mapping[str, Any] = field(default_factory=dict)


def record(project: Project, params: TrainStage, candidate: str, training: Training) -> None:
    """Write a candidate's recipe, learning curve and time."""
    # The time is no output of the stage: equal trainings give equal bytes, and no two take equally long. The hash
    # tells the time of this artifact from that of another one, which DVC's cache has restored since.
    timing = {"content_hash": content_hash(project.model(candidate)), "fit_seconds": round(training.seconds, 3)}
    write_json(project.seconds(candidate), timing)
    recipe = training.recipe
    write_json(
        project.training(candidate),
        {
            "family": recipe.family,
            "params": recipe.params,
            "seed": recipe.seed,
            "validation": significant({params.select.metric: training.metric}),
            **significant(training.more),
        },
    )
    epochs = range(1, len(training.curve) + 1)
    write_csv(project.plot("learning", candidate), pd.DataFrame({"epoch": epochs, "value": training.curve}))
