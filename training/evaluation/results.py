"""The results of an evaluation: a table per user, a report of means, and the points of the plots."""

from typing import Any

import numpy as np
import pandas as pd

from app.contract.artifact import Artifact
from training.data.dataset import USER_ID
from training.evaluation.ranking import Outcome
from training.metrics import beyond_accuracy, ranking
from training.metrics.bootstrap import Interval, confidence_interval
from training.metrics.names import parse_metric
from training.params.evaluate import EvaluateParams, EvaluateStage

CONFIDENCE = 0.95
SEGMENTS = ("few", "medium", "many")
HISTORY = "history"
POPULARITY_BINS = 10
DECIMALS = 10


def metric_names(params: EvaluateParams) -> list[str]:
    """List all per-user metrics that are reported."""
    return [f"{name}@{k}" for name in ranking.METRICS for k in params.at] + ["auc"]


def user_table(artifact: Artifact, outcome: Outcome, params: EvaluateParams) -> pd.DataFrame:
    """Make one row per user: the id, the length of the known history, and every per-user metric.

    Metrics are rounded to 10 decimals, so that another processor gives the same table.
    """
    history = np.diff(artifact.seen_indptr)[outcome.user_rows]
    columns = {name: outcome.per_user(name).round(DECIMALS) for name in metric_names(params)}
    return pd.DataFrame({USER_ID: artifact.user_ids[outcome.user_rows], HISTORY: history, **columns})


def report(
    artifact: Artifact, outcome: Outcome, users: pd.DataFrame, params: EvaluateParams, seed: int
) -> dict[str, Any]:
    """Compute every figure of one candidate as plain numbers, for people and `dvc metrics`."""
    # A user who has seen all but the relevant items has no AUC; where no user has one, none is reported.
    names = [name for name in metric_names(params) if users[name].notna().any()]
    intervals = confidence_interval(users[names].to_numpy(), params.bootstrap, CONFIDENCE, np.random.default_rng(seed))
    return {
        "users": len(users),
        **with_intervals(names, intervals),
        "catalogue": {
            f"{name}@{k}": metric.compute(outcome.lists[:, :k], artifact.item_popularity)
            for name, metric in beyond_accuracy.METRICS.items()
            for k in params.at
        },
        "segments": _by_segment(users, names, params),
    }


def with_intervals(names: list[str], intervals: list[Interval]) -> dict[str, Any]:
    """The means and their intervals, as a report holds them."""
    return {
        "metrics": {name: interval.mean for name, interval in zip(names, intervals, strict=True)},
        "confidence_95": {name: [i.low, i.high] for name, i in zip(names, intervals, strict=True)},
    }


def _by_segment(users: pd.DataFrame, names: list[str], params: EvaluateParams) -> dict[str, Any]:
    numbers = np.digitize(users[HISTORY], params.segments)
    parts = ((segment, users[numbers == number]) for number, segment in enumerate(SEGMENTS))
    return {segment: {"users": len(part), **part[names].mean().to_dict()} for segment, part in parts if len(part)}


def headline_k(params: EvaluateStage) -> int:
    """Return the k of `select.metric`, or the first of `evaluate.at` where that metric has none."""
    return parse_metric(params.select.metric)[1] or params.evaluate.at[0]


def headline(whole: dict[str, Any], params: EvaluateStage) -> dict[str, float]:
    """Pick from a report the metrics at `headline_k`, with 5 decimals."""
    k = headline_k(params)
    values = whole["metrics"] | whole["catalogue"]
    return {name: round(value, 5) for name, value in values.items() if name.partition("@")[2] in ("", str(k))}


def metrics_by_k(users: pd.DataFrame, params: EvaluateParams) -> pd.DataFrame:
    """Compute the mean of each metric at each k, one row per k."""
    columns = {name: [users[f"{name}@{k}"].mean() for k in params.at] for name in ranking.METRICS}
    return pd.DataFrame({"k": params.at, **columns})


def share_by_popularity(artifact: Artifact, outcome: Outcome) -> pd.DataFrame:
    """Cut the catalogue into tenths, most popular first, and give each one's share of positives and recommendations."""
    order = np.argsort(-artifact.item_popularity, kind="stable")
    shown = beyond_accuracy.exposure(outcome.lists, len(order))[order]
    popularity = artifact.item_popularity[order]
    tenths = np.arange(len(order)) * POPULARITY_BINS // len(order)
    return pd.DataFrame(
        {
            "tenth": np.arange(1, POPULARITY_BINS + 1),
            "interactions": np.bincount(tenths, popularity, POPULARITY_BINS) / popularity.sum(),
            "recommendations": np.bincount(tenths, shown, POPULARITY_BINS) / shown.sum(),
        }
    )
