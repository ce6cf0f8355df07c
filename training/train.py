"""The `train` stage: decide on validation what parameters leave open, then fit on train and validation together."""

import time

import pandas as pd

from app.contract.artifact import content_hash, write_artifact
from training.data.dataset import load_dataset
from training.files import write_csv, write_json
from training.fitting.candidate import fit_candidate
from training.fitting.validation import LEARNED_FROM
from training.params import Params
from training.project import Project


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
