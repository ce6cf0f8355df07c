"""Train, evaluate, refit and export on the cluster, beside what the embedded engine makes of the same data."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.recommender import Recommender
from tests.training.spark.test_prepare import bytes_of
from tests.training.world import make_project
from training import evaluate as embedded_evaluate
from training import refit as embedded_refit
from training import train as embedded_train
from training.errors import TrainingError
from training.export import ExportOptions, export
from training.files import read_json
from training.lists.filters import ListFilters
from training.params.whole import Params
from training.project import Project
from training.spark import evaluate, refit, train
from training.spark import prepare as on_spark
from training.spark.buckets import Buckets
from training.spark.everyone import check_room
from training.spark.export import in_executors

pytestmark = pytest.mark.usefixtures("spark")

SMALL = {
    "models__ease__embedding_size": 16,
    "models__ease__regularization": 20.0,
    "models__spark_als__embedding_size": 8,
    "models__spark_als__alpha": 40.0,
    "models__spark_als__regularization": 0.05,
    "models__spark_als__epochs": 8,
    "models__spark_als__blocks": 2,
    "models__lightfm__embedding_size": 8,
    "models__lightfm__epochs": 10,
    "evaluate__bootstrap": 100,
    "spark__buckets": 3,
}
Pair = tuple[Project, Project]


def prepared(folder: Path, **changes: Any) -> tuple[Project, Project, Params]:
    """Two projects with the same data, as pandas and as Spark prepare it."""
    with_pandas, params = make_project(folder / "embedded", **{**SMALL, **changes})
    with_spark = Project(folder / "on {Spark} [1]")
    shutil.copytree(with_pandas.raw, with_spark.raw)
    shutil.copy(with_pandas.params, with_spark.params)
    on_spark.prepare(with_spark, params, params.spark)
    return with_pandas, with_spark, params


@pytest.mark.parametrize("candidate", ["ease", "popularity", "lightfm"])
def test_where_the_sample_holds_everybody_all_files_are_those_of_the_embedded_engine(
    tmp_path: Path, candidate: str
) -> None:
    ours, theirs, params = prepared(tmp_path, candidates=[candidate])
    embedded_train.train(ours, params, candidate)
    train.train(theirs, params, params.spark, candidate)
    embedded_evaluate.evaluate(ours, params, candidate)
    evaluate.evaluate(theirs, params, params.spark, candidate)
    embedded_refit.refit(ours, params)
    refit.refit(theirs, params, params.spark)
    for folder in ("models", "reports"):
        found, expected = bytes_of(theirs.root / folder), bytes_of(ours.root / folder)
        different = {name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)}
        assert different - {f"seconds/{candidate}.json"} == set()


@pytest.fixture(scope="module")
def als(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Params]:
    """A project whose candidate spark_als is trained, measured and refit on Spark."""
    _, project, params = prepared(tmp_path_factory.mktemp("als"), candidates=["spark_als"])
    train.train(project, params, params.spark, "spark_als")
    evaluate.evaluate(project, params, params.spark, "spark_als")
    refit.refit(project, params, params.spark)
    return project, params


def test_als_of_everybody_is_measured_as_the_embedded_engine_measures_it(
    als: tuple[Project, Params], tmp_path: Path
) -> None:
    project, params = als
    beside = Project(tmp_path)
    shutil.copytree(project.prepared, beside.prepared)
    shutil.copytree(project.model("spark_als"), beside.model("spark_als"))
    embedded_evaluate.evaluate(beside, params, "spark_als")
    for path in (project.evaluation, project.users, project.metrics):
        assert (
            path("spark_als").read_bytes() == (beside.root / path("spark_als").relative_to(project.root)).read_bytes()
        )
    assert read_json(project.metrics("spark_als"), "")["ndcg@10"] > 0.3


def test_als_knows_everybody_and_folds_in(als: tuple[Project, Params]) -> None:
    project, _ = als
    served = load_artifact(project.served)
    ratings = pd.read_csv(project.raw / "interactions.csv")
    assert served.user_ids.tolist() == sorted(ratings.user_id.unique())
    assert served.user_embeddings.any(axis=1).all()
    assert np.diff(served.seen_indptr).tolist() == ratings.groupby("user_id").size().tolist()
    assert served.item_popularity.tolist()[:80] == ratings[ratings.rating >= 4].groupby("item_id").size().tolist()
    recommender = Recommender(served)
    own, folded = served.user_embeddings[0], recommender.fold_in(recommender.liked(0))
    assert own @ folded > 0.8 * np.linalg.norm(own) * np.linalg.norm(folded)
    ready = Recommender(served).ready(5, 10)
    np.testing.assert_array_equal(ready.items, recommender.recommend(np.array([5]), 10).items)


def test_others_than_the_sample_get_vectors_of_the_encoder_and_the_price_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, project, params = prepared(tmp_path, candidates=["implicit_als"], models__implicit_als__embedding_size=8)
    small = params.spark.model_copy(update={"sample_users": 30})
    train.train(project, params, small, "implicit_als")
    report = read_json(project.training("implicit_als"), "")
    assert (report["sample"]["users"], report["sample"]["of"]) == (30, 80)
    assert 0 < report["sample"]["validation_with_encoder"] <= 1
    assert "implicit_als: learned from 30 of 80 users; ndcg@10 on validation" in capsys.readouterr().err
    artifact = load_artifact(project.model("implicit_als"))
    recommender = Recommender(artifact)
    sample = Buckets.read(project.prepared).sample(30, params.seed, ("train",)).users
    folded = np.stack([recommender.fold_in(recommender.liked(row)) for row in range(80)])
    # Of some users ALS learns next to nothing: their numbers are about 1e-5.
    difference, length = (np.linalg.norm(each, axis=1) for each in (artifact.user_embeddings - folded, folded))
    alike = difference <= 1e-3 * length
    assert alike.tolist() == [row not in sample for row in range(80)]


def test_exported_files_are_those_of_the_embedded_engine(
    als: tuple[Project, Params], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = als
    options = ExportOptions(60, None, ListFilters(exclude_genre=("western",)))
    here = export(project, params, options, tmp_path / "here")

    def write(*arguments: Any) -> Any:
        return in_executors(project, params.spark, *arguments)

    assert export(project, params, options, tmp_path / "there", write) == here
    assert bytes_of(tmp_path / "there") == bytes_of(tmp_path / "here")


def test_users_whose_artifact_the_disk_can_t_hold_are_refused_before_training(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path, 100_000_000_000, 1_000_000)
    with pytest.raises(TrainingError, match=r"the artifact of 100,000,000,000 users takes about \d+\.\d GB, 3 times"):
        check_room(tmp_path, buckets, 10**12, 64, 50)
