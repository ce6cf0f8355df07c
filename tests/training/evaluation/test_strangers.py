"""What features and attributes tell where nothing was learned, worked out by hand, and where a run shows it."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from app.contract.artifact import Artifact
from tests.artifacts import make_artifact
from tests.training.fitting.test_people import of_towns
from training.evaluate import evaluate
from training.evaluation.ranking import rank
from training.evaluation.strangers import among_all, newcomers
from training.evaluation.targets import Targets
from training.files import read_json
from training.train import train

HOW = {"k": 2, "resamples": 100, "seed": 0}
FIRST, SECOND = 1.0, 1 / np.log2(3)


def cold_first() -> Artifact:
    """Film 3 is cold and the best for everybody, film 0 the most popular."""
    return make_artifact(
        user_ids=(1, 2, 3),
        item_ids=(10, 20, 30, 40),
        dim=1,
        user_embeddings=np.ones((3, 1), dtype=np.float32),
        item_embeddings=np.array([[1], [2], [3], [4]], dtype=np.float32),
        item_biases=np.zeros(4, dtype=np.float32),
        item_popularity=np.array([9, 5, 1, 0]),
        user_encoder=np.array([[-2], [1]], dtype=np.float32),
    )


LIKED = Targets(np.arange(3), sparse.csr_matrix(np.array([[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]], np.float32)))


def test_cold_films_among_all_are_compared_with_lists_without_them() -> None:
    artifact = cold_first()
    found = among_all(artifact, LIKED, rank(artifact, LIKED, 2, with_auc=False), **HOW)
    assert found["ndcg"] == pytest.approx((FIRST + SECOND + 0) / 3)
    assert found["without"] == pytest.approx((0 + FIRST + SECOND) / 3)
    assert found["share"] == 0.5
    assert found["confidence_95"][0] < 0 < found["confidence_95"][1]


def test_people_by_attributes_are_compared_with_popular_films() -> None:
    features = sparse.csr_matrix(np.array([[1], [0], [1]], dtype=np.float32))
    found = newcomers(cold_first(), LIKED, features, **HOW)
    assert found is not None
    # The attribute makes the vector -1: films 0 and 1 first, as by popularity.
    assert (found["ndcg"], found["without"], found["users"]) == pytest.approx((SECOND / 2, SECOND / 2, 2))
    upwards = make_artifact(**{**vars(cold_first()), "user_encoder": np.array([[1], [1]], dtype=np.float32)})
    found = newcomers(upwards, LIKED, features, **HOW)
    assert found is not None
    assert found["ndcg"] == pytest.approx(FIRST / 2)
    assert newcomers(cold_first(), LIKED, None, **HOW) is None


@pytest.mark.long
def test_a_run_measures_both_where_it_is_asked_to(tmp_path: Path) -> None:
    project, params = of_towns(tmp_path, candidates=["sklearn_svd"], evaluate__cold=True)
    train(project, params, "sklearn_svd")
    evaluate(project, params, "sklearn_svd")
    report = read_json(project.evaluation("sklearn_svd"), "")
    assert report["newcomers"]["users"] == report["users"]
    assert report["newcomers"]["confidence_95"][0] > 0  # a town's films are not those that are popular
    assert 0 <= report["cold"]["among_all"]["share"] < 1
