from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse

from app.contract.artifact import Artifact
from tests.artifacts import make_artifact
from tests.training.world import grouped_ratings, make_project
from training.evaluate import evaluate
from training.evaluation.cold import cold_report
from training.evaluation.targets import Targets
from training.files import read_json
from training.metrics.ranking import expected_recall
from training.params.evaluate import EvaluateParams
from training.train import train

PARAMS = EvaluateParams(at=(1, 2), segments=(2, 4), bootstrap=100, cold=False)
LIKED = np.array(
    [
        [1, 0, 0, 0, 1, 0],  # the second of three, and a film that is not cold
        [0, 0, 0, 1, 0, 1],  # the third and the first
        [0, 0, 0, 1, 0, 0],  # one of two about which the model knows nothing: it has seen the third
        [0, 1, 0, 0, 0, 0],  # no cold film
    ]
)


def three_cold_of_six() -> Artifact:
    vectors = np.array([[1], [-1], [0], [1]], dtype=np.float32)
    return make_artifact(
        seen={2: [4]},
        dim=1,
        user_embeddings=vectors,
        item_embeddings=np.array([[9], [9], [9], [3], [2], [1]], dtype=np.float32),
        item_biases=np.zeros(6, dtype=np.float32),
        item_popularity=np.array([5, 5, 5, 0, 0, 0]),
    )


def targets(liked: npt.NDArray[np.int64]) -> Targets:
    return Targets(np.arange(4), sparse.csr_matrix(liked, dtype=np.float32))


def test_recall_on_cold_films_is_what_is_worked_out_by_hand() -> None:
    report = cold_report(three_cold_of_six(), targets(LIKED), PARAMS, seed=0)
    assert (report["items"], report["users"]) == (3, 3)
    assert report["metrics"] == pytest.approx({"recall@1": (0 + 1 / 2 + 1 / 2) / 3, "recall@2": (1 + 1 / 2 + 1) / 3})
    assert report["chance"] == pytest.approx(
        {"recall@1": (1 / 3 + 1 / 3 + 1 / 2) / 3, "recall@2": (2 / 3 + 2 / 3 + 1) / 3}
    )
    low, high = report["confidence_95"]["recall@1"]
    assert 0 <= low < report["metrics"]["recall@1"] < high <= 1 / 2


def test_where_nobody_liked_a_cold_film_there_is_no_recall() -> None:
    warm = LIKED.copy()
    warm[:, 3:] = 0
    assert cold_report(three_cold_of_six(), targets(warm), PARAMS, seed=0) == {"items": 3, "users": 0}


def test_tied_items_count_as_if_in_random_order() -> None:
    scores = np.array([[3, 2, 2, 1, -np.inf]], dtype=np.float32)
    relevant = np.array([[True, False, True, False, False]])
    assert expected_recall(scores, relevant, [1, 2, 3, 10]).tolist() == [[0.5, 0.75, 1.0, 1.0]]


def test_a_model_that_knows_only_popularity_ranks_cold_films_by_chance(tmp_path: Path) -> None:
    ratings = grouped_ratings()
    ratings.loc[ratings.item_id.isin([5, 6, 7, 8]), "timestamp"] += 1_000_000  # each user's last, so in the test only
    project, params = make_project(tmp_path, ratings, prepare__split__method="global", candidates=["popularity"])
    train(project, params, "popularity")
    evaluate(project, params, "popularity")
    cold = read_json(project.evaluation("popularity"), "")["cold"]
    assert cold["items"] >= 4
    assert cold["users"] > 0
    assert cold["metrics"] == pytest.approx(cold["chance"])
