"""The `evaluate` stage: measures how well a saved artifact ranks the items held out for the test."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from app.contract.artifact import Artifact
from app.contract.artifact_directory import load_artifact
from training.data.dataset import load_dataset
from training.evaluation.cold import cold_report
from training.evaluation.ranking import Outcome, rank_test
from training.evaluation.results import headline, headline_k, metrics_by_k, report, share_by_popularity, user_table
from training.evaluation.strangers import among_all, newcomers
from training.evaluation.targets import Targets, held_out
from training.files import significant, write_csv, write_json, write_parquet
from training.params.evaluate import EvaluateStage
from training.project import Project


def evaluate(project: Project, params: EvaluateStage, candidate: str) -> None:
    """Write a candidate's report, its results per user, and the points of its plots."""
    artifact, dataset = load_artifact(project.model(candidate)), load_dataset(project.prepared)
    outcome = rank_test(artifact, dataset, params.evaluate, progress=True)
    users = user_table(artifact, outcome, params.evaluate)
    targets = held_out(artifact, dataset)
    features = None
    if dataset.people is not None:
        features = dataset.people.features[np.searchsorted(dataset.user_ids, artifact.user_ids[targets.user_rows])]
    write_evaluation(project, params, candidate, Evaluation(artifact, targets, outcome, users, features))


class Evaluation(NamedTuple):
    """An artifact, the users who were ranked, their lists and metrics, and the features of them if there are any."""

    artifact: Artifact
    targets: Targets
    outcome: Outcome
    users: pd.DataFrame
    features: sparse.csr_matrix | None = None


def write_evaluation(project: Project, params: EvaluateStage, candidate: str, evaluation: Evaluation) -> None:
    """Write the files of a candidate's evaluation."""
    artifact, targets, outcome, users, features = evaluation
    whole = report(artifact, outcome, users, params.evaluate, params.seed)
    whole["cold"] = cold_report(artifact, targets, params.evaluate, params.seed)
    if params.evaluate.cold:
        how = {"k": headline_k(params), "resamples": params.evaluate.bootstrap, "seed": params.seed}
        whole["cold"]["among_all"] = among_all(artifact, targets, outcome, **how)
        whole["newcomers"] = newcomers(artifact, targets, features, **how)
    write_json(project.evaluation(candidate), significant(whole))
    write_json(project.metrics(candidate), headline(whole, params))
    write_parquet(project.users(candidate), users)
    write_csv(project.plot("by_k", candidate), metrics_by_k(users, params.evaluate))
    write_csv(project.plot("popularity", candidate), share_by_popularity(artifact, outcome))
