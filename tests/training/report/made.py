"""A comparison whose figures were made up, so that what is shown of them is known."""

from typing import Any

from tests.training.world import ROOT
from training.metrics import beyond_accuracy, ranking
from training.metrics.bootstrap import Interval
from training.params.whole import load_params
from training.report.activity import Activity
from training.report.comparison import Candidate, Comparison

AT = (5, 10)


def candidate(name: str, level: float, curve: list[float], **fields: Any) -> Candidate:
    """One whose ranking metrics are at `level`, less a tenth at the smaller k, each with an interval of ± 0.05."""
    metrics = {f"{metric}@{k}": level - (0.1 if k == AT[0] else 0) for metric in ranking.METRICS for k in AT}
    intervals = {metric: [value - 0.05, value + 0.05] for metric, value in metrics.items()}
    catalogue = {f"{metric}@{k}": level / 2 for metric in beyond_accuracy.METRICS for k in AT}
    measured = {"metrics": metrics, "confidence_95": intervals}
    cold = {**measured, "chance": {f"recall@{k}": k / 100 for k in AT}, "items": 3, "users": 4}
    known: dict[str, Any] = {
        "training": {"validation": {"ndcg@10": level}, "params": {}},
        "fit_seconds": 2.0,
        "size": 1_500_000,
        "embedding_size": 8,
        **fields,
    }
    return Candidate(name, {**measured, "catalogue": catalogue, "cold": cold}, learning_curve=curve, **known)


def comparison(*candidates: Candidate, **fields: Any) -> Comparison:
    """One of these candidates; the first has more than the others in the segment `few`, and the same in `many`."""
    params = load_params(ROOT / "params.yaml")
    levels = {each.name: Interval(0.4 - 0.1 * place, 0.2, 0.5) for place, each in enumerate(candidates)}
    alike = {each.name: Interval(0.3, 0.2, 0.5) for each in candidates}
    known: dict[str, Any] = {
        "params": params.model_copy(update={"evaluate": params.evaluate.model_copy(update={"at": AT[::-1]})}),
        "results": "",
        "data": {},
        "served": candidates[0].name,
        "opponents": [],
        "differences": [],
        "live": "no version",
        "obstacle": "",
        "activity": [Activity("few", 1200, levels), Activity("many", 30, alike)],
        "example_users": [],
        "checks": [],
        **fields,
    }
    return Comparison(candidates=list(candidates), **known)
