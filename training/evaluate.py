"""The `evaluate` stage: how well a saved artifact ranks what was held out for the test."""

from typing import Any

import numpy as np
import pandas as pd

from app.artifact import Artifact, load_artifact
from training.cold import cold_report
from training.dataset import Dataset, load_dataset
from training.evaluation import Outcome, Targets, rank, report, user_table
from training.files import write_csv, write_json, write_parquet
from training.metrics import ranking
from training.metrics.catalogue import exposure
from training.metrics.names import parse_metric
from training.params import EvaluateParams, Params
from training.project import Project

POPULARITY_BINS = 10


def evaluate(project: Project, params: Params, candidate: str) -> None:
    """Write a candidate's report, its results per user, and the points of its plots."""
    artifact, dataset = load_artifact(project.model(candidate)), load_dataset(project.prepared)
    outcome = rank_test(artifact, dataset, params.evaluate, progress=True)
    users = user_table(artifact, outcome, params.evaluate)
    whole = report(artifact, outcome, users, params.evaluate, params.seed)
    whole["cold"] = cold_report(artifact, held_out(artifact, dataset), params.evaluate, params.seed)
    write_json(project.evaluation(candidate), whole)
    write_json(project.metrics(candidate), headline(whole, params))
    write_parquet(project.users(candidate), users)
    write_csv(project.plot("by_k", candidate), metrics_by_k(users, params.evaluate))
    write_csv(project.plot("popularity", candidate), share_by_popularity(artifact, outcome))


def rank_test(artifact: Artifact, dataset: Dataset, params: EvaluateParams, progress: bool = False) -> Outcome:
    """Rank all users with a test positive whom the artifact knows."""
    return rank(artifact, held_out(artifact, dataset), max(params.at), with_auc=True, progress=progress)


def held_out(artifact: Artifact, dataset: Dataset) -> Targets:
    """The users with a test positive whom the artifact knows, and what they liked there."""
    return Targets.of(artifact.user_ids, dataset, dataset.interactions("test"))


def headline_k(params: Params) -> int:
    """The k of `select.metric`, or the first of `evaluate.at` where that has none."""
    return parse_metric(params.select.metric)[1] or params.evaluate.at[0]


def headline(whole: dict[str, Any], params: Params) -> dict[str, float]:
    """The metrics at the k of `select.metric`, or at the first k."""
    k = headline_k(params)
    values = whole["metrics"] | whole["catalogue"]
    return {name: round(value, 5) for name, value in values.items() if name.partition("@")[2] in ("", str(k))}


def metrics_by_k(users: pd.DataFrame, params: EvaluateParams) -> pd.DataFrame:
    """The mean of each metric at each k, one row per k."""
    columns = {name: [users[f"{name}@{k}"].mean() for k in params.at] for name in ranking.METRICS}
    return pd.DataFrame({"k": params.at, **columns})


def share_by_popularity(artifact: Artifact, outcome: Outcome) -> pd.DataFrame:
    """Tenths of the catalogue, most popular first: their share of interactions and of recommendations."""
    order = np.argsort(-artifact.item_popularity, kind="stable")
    shown = exposure(outcome.lists, len(order))[order]
    popularity = artifact.item_popularity[order]
    tenths = np.arange(len(order)) * POPULARITY_BINS // len(order)
    return pd.DataFrame(
        {
            "tenth": np.arange(1, POPULARITY_BINS + 1),
            "interactions": np.bincount(tenths, popularity, POPULARITY_BINS) / popularity.sum(),
            "recommendations": np.bincount(tenths, shown, POPULARITY_BINS) / shown.sum(),
        }
    )
