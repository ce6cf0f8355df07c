import numpy as np
import pandas as pd
import pytest

from tests.artifacts import make_artifact
from tests.training.world import ROOT
from training.evaluation.ranking import Outcome
from training.evaluation.results import _by_segment, headline, metrics_by_k, share_by_popularity
from training.metrics.ranking import METRICS
from training.params.evaluate import EvaluateParams
from training.params.whole import load_params

PARAMS = EvaluateParams(at=(5, 10), segments=(2, 4), bootstrap=100, cold=False)


def test_tenths_of_the_catalogue_begin_with_the_most_popular_items() -> None:
    artifact = make_artifact(item_ids=range(20), item_popularity=np.arange(20) * 10)
    lists = np.array([[19, 18], [19, 0], [17, -1]])
    nothing = np.zeros(3)
    shares = share_by_popularity(artifact, Outcome(nothing, lists, lists > 0, nothing, nothing))  # type: ignore[arg-type]
    assert shares["tenth"].tolist() == list(range(1, 11))
    assert shares["interactions"].tolist() == pytest.approx([(19 + 18 - 4 * n) / 190 for n in range(9)] + [1 / 190])
    assert shares["recommendations"].tolist() == pytest.approx([3 / 5, 1 / 5, *[0] * 7, 1 / 5])


def test_of_a_catalogue_that_is_no_multiple_of_ten_no_item_is_lost() -> None:
    artifact = make_artifact(item_ids=range(13), item_popularity=np.ones(13, dtype=np.int64))
    nothing = np.zeros(1)
    lists = np.arange(13)[None]
    shares = share_by_popularity(artifact, Outcome(nothing, lists, lists > 0, nothing, nothing))  # type: ignore[arg-type]
    counts = [2, 1, 1, 2, 1, 1, 2, 1, 1, 1]
    assert shares["interactions"].tolist() == pytest.approx([count / 13 for count in counts])


def test_a_segment_begins_with_its_first_number_of_ratings_and_is_left_out_without_users() -> None:
    users = pd.DataFrame({"history": [1, 2, 3, 4, 9], "ndcg@5": [0.1, 0.2, 0.4, 0.5, 0.7]})
    assert _by_segment(users, ["ndcg@5"], PARAMS) == {
        "few": {"users": 1, "ndcg@5": 0.1},
        "medium": {"users": 2, "ndcg@5": pytest.approx(0.3)},
        "many": {"users": 2, "ndcg@5": pytest.approx(0.6)},
    }
    assert list(_by_segment(users[1:3], ["ndcg@5"], PARAMS)) == ["medium"]


@pytest.mark.parametrize(("metric", "k"), [("ndcg@10", 10), ("recall@20", 20), ("auc", 5)])
def test_the_headline_holds_what_has_its_k_or_none_with_five_digits(metric: str, k: int) -> None:
    params = load_params(ROOT / "params.yaml")
    params = params.model_copy(update={"select": params.select.model_copy(update={"metric": metric})})
    at = (5, 10, 20, 50)
    whole = {
        "metrics": {"auc": 0.87654321, **{f"ndcg@{each}": each / 100 for each in at}},
        "catalogue": {f"gini@{each}": 1 / each for each in at},
    }
    assert headline(whole, params) == {"auc": 0.87654, f"ndcg@{k}": k / 100, f"gini@{k}": round(1 / k, 5)}


def test_points_by_k_are_means_over_users() -> None:
    names = ("precision", "recall", "ndcg", "map", "mrr", "hit_rate")
    users = pd.DataFrame({f"{name}@{k}": [k / 100, k / 50] for name in METRICS for k in PARAMS.at})
    points = metrics_by_k(users, PARAMS)
    assert points["k"].tolist() == [5, 10]
    assert all(points[name].tolist() == pytest.approx([0.075, 0.15]) for name in names)
