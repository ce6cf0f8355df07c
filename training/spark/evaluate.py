"""The `evaluate` stage on Spark: executors rank and measure blocks of users, and the results are put together here."""

import tempfile
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from threadpoolctl import threadpool_limits

from app.contract.artifact_directory import load_artifact
from app.contract.recommender import Recommender
from training.data.dataset import load_dataset
from training.evaluate import Evaluation, write_evaluation
from training.evaluation.ranking import Outcome, blocks_of, joined, rank_block
from training.evaluation.results import user_table
from training.evaluation.targets import Targets, held_out
from training.params.evaluate import EvaluateParams, EvaluateStage
from training.params.spark import SparkParams
from training.project import Project
from training.spark.session import session

BLOCKS_PER_TASK = 8


def evaluate(project: Project, params: EvaluateStage, spark_params: SparkParams, candidate: str) -> None:
    """Write what the embedded stage writes, to the last digit: the blocks of users are the same."""
    model = project.model(candidate)
    artifact, dataset = load_artifact(model), load_dataset(project.prepared, ("test",))
    targets = held_out(artifact, dataset)
    project.cache.mkdir(exist_ok=True)
    with session(project, spark_params) as spark, tempfile.TemporaryDirectory(dir=project.cache) as folder:
        save(targets, Path(folder))
        blocks = blocks_of(len(targets.user_rows), len(artifact.item_ids))
        tasks = max(1, len(blocks) // BLOCKS_PER_TASK)
        measure = partial(measured, model=model.resolve(), folder=Path(folder).resolve(), params=params.evaluate)
        parts = spark.sparkContext.parallelize(blocks, tasks).map(measure).collect()
    outcome = joined([part for part, _ in parts])
    users = pd.concat([table for _, table in parts], ignore_index=True)
    write_evaluation(project, params, candidate, Evaluation(artifact, targets, outcome, users))


def save(targets: Targets, folder: Path) -> None:
    """Write the targets where executors can read them."""
    np.save(folder / "user_rows.npy", targets.user_rows)
    sparse.save_npz(folder / "relevant.npz", targets.relevant, compressed=False)


@lru_cache(maxsize=1)
def _loaded(model: Path, folder: Path) -> tuple[Recommender, Targets]:
    """The model and the targets, which each process of an executor reads once."""
    targets = Targets(np.load(folder / "user_rows.npy"), sparse.csr_matrix(sparse.load_npz(folder / "relevant.npz")))
    return Recommender(load_artifact(model)), targets


def measured(users: slice, model: Path, folder: Path, params: EvaluateParams) -> tuple[Outcome, pd.DataFrame]:
    """Rank a block of users, and compute every metric of each."""
    recommender, targets = _loaded(model, folder)
    block = targets.block(users)
    with threadpool_limits(1):  # as the embedded engine does: sums in the same order
        outcome = rank_block(recommender, block, max(params.at), with_auc=True)
    return outcome, user_table(recommender.artifact, outcome, params)
