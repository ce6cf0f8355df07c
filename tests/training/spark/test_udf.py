"""A registered version in a Spark job, by MLflow's own function, and the registration of data that Spark prepared."""

from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import numpy as np
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.recommender import Recommender
from tests.training.spark.test_stages import prepared
from training.register import register
from training.spark import evaluate, refit, train

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_a_version_that_was_trained_on_spark_ranks_as_a_function_of_spark(
    tmp_path: Path, spark: "SparkSession", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    _, project, params = prepared(tmp_path, candidates=["ease", "popularity"])
    for candidate in params.candidates:
        train.train(project, params, params.spark, candidate)
        evaluate.evaluate(project, params, params.spark, candidate)
    refit.refit(project, params, params.spark)
    registration = register(project, params)
    assert (registration.version, registration.decision) == ("1", "production")
    # docs/scale.md shows this.
    recommend = mlflow.pyfunc.spark_udf(
        spark,
        f"models:/{params.registration.name}@production",
        result_type="item_ids array<long>, scores array<double>",
        env_manager="local",
    )
    users = spark.createDataFrame([(1,), (7,), (80,)], "user_id long").repartition(2)
    rows = {
        row["user_id"]: row["list"] for row in users.select("user_id", recommend("user_id").alias("list")).collect()
    }
    served = load_artifact(project.served)
    ranking = Recommender(served).recommend(np.array([0, 6, 79]), 10)
    for place, user in enumerate((1, 7, 80)):
        assert rows[user]["item_ids"] == served.item_ids[ranking.items[place]].tolist()
        assert rows[user]["scores"] == ranking.scores[place].tolist()
