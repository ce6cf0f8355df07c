"""The `evaluate` stage: measures how well a saved artifact ranks the items held out for the test."""

from typing import NamedTuple

import pandas as pd

from app.contract.artifact import Artifact, load_artifact
from training.data.dataset import load_dataset
from training.evaluation.cold import cold_report
from training.evaluation.ranking import Outcome, rank_test
from training.evaluation.results import headline, metrics_by_k, report, share_by_popularity, user_table
from training.evaluation.targets import Targets, held_out
from training.files import significant, write_csv, write_json, write_parquet
from training.params.evaluate import EvaluateStage
from training.project import Project


def evaluate(project: Project, params: EvaluateStage, candidate: str) -> None:
    """Write a candidate's report, its results per user, and the points of its plots."""
    artifact, dataset = load_artifact(project.model(candidate)), load_dataset(project.prepared)
    outcome = rank_test(artifact, dataset, params.evaluate, progress=True)
    users = user_table(artifact, outcome, params.evaluate)
    write_evaluation(project, params, candidate, Evaluation(artifact, held_out(artifact, dataset), outcome, users))


class Evaluation(NamedTuple):
    """An artifact, the users who were ranked, their lists, and their metrics."""

    artifact: Artifact
    targets: Targets
    outcome: Outcome
    users: pd.DataFrame


def write_evaluation(project: Project, params: EvaluateStage, candidate: str, evaluation: Evaluation) -> None:
    """Write the files of a candidate's evaluation."""
    artifact, targets, outcome, users = evaluation
    whole = report(artifact, outcome, users, params.evaluate, params.seed)
    whole["cold"] = cold_report(artifact, targets, params.evaluate, params.seed)
    write_json(project.evaluation(candidate), significant(whole))
    write_json(project.metrics(candidate), headline(whole, params))
    write_parquet(project.users(candidate), users)
    write_csv(project.plot("by_k", candidate), metrics_by_k(users, params.evaluate))
    write_csv(project.plot("popularity", candidate), share_by_popularity(artifact, outcome))
