"""The whole pipeline with `engine: spark`: DVC, a real MLflow, a promoted version, and the service."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest

from tests.processes import answers, free_port, process, wait_until
from tests.repository import Repository
from tests.training.spark.conftest import HOST, JAVA, PASSWORD, Cluster
from training.data.movielens import VARIABLE

MODEL = "on-spark"


@pytest.fixture(scope="module")
def repository(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, mlflow_server: str) -> Repository:
    """ml-latest-small, or the sample where that is not at hand; the pipeline has run once."""
    repository = Repository.copy(tmp_path_factory.mktemp("whole") / "movie recommender", mlflow_server)
    has_movielens = (Path(os.environ.get(VARIABLE, "")) / "ml-latest-small.zip").is_file()
    repository.change(
        engine="spark",
        spark__executor_memory="900m",
        fetch__source="ml-latest-small" if has_movielens else "sample",
        candidates=["spark_als", "popularity"],
        models__spark_als__epochs=8,
        register__name=MODEL,
        register__experiment=MODEL,
    )
    repository.environment |= {"SPARK_MASTER": cluster.master, "SPARK_LOCAL_IP": HOST, "MODEL_NAME": MODEL}
    repository.environment |= {**PASSWORD, **JAVA}
    repository.without_git()
    repository.run("dvc", "repro")
    return repository


def get(port: int, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        content: dict[str, Any] = json.load(answer)
        return content


def test_it_beats_popularity_and_is_promoted_and_served(repository: Repository, mlflow_server: str) -> None:
    assert mlflow.MlflowClient(mlflow_server).get_registered_model(MODEL).aliases == {"production": "1"}
    port = free_port()
    environment = {"MLFLOW_TRACKING_URI": mlflow_server, "MODEL_NAME": MODEL}
    environment["MODEL_CACHE_DIR"] = str(repository.root / "cache")
    with process(["app", "--host", HOST, "--port", str(port)], environment, repository.root / "service.log"):
        wait_until(lambda: answers(port, "/health/ready"))
        answer = get(port, "/users/1/recommendations?k=5")
    assert (answer["model_version"], answer["source"]) == ("1", "personalised")
    lists = repository.root / "lists"
    repository.run("training", "export", "--out", str(lists), "--k", "5", "--alias", "production")
    rows = pd.read_parquet(lists / "lists-00000.parquet")
    first = rows[rows.user_id == 1]
    assert [(item["id"], item["score"]) for item in answer["items"]] == list(
        zip(first.item_id, first.score, strict=True)
    )
    assert set(rows.model_version) == {"1"}


def test_a_second_run_trains_nothing_and_registers_nothing(repository: Repository, mlflow_server: str) -> None:
    output = repository.run("dvc", "repro")
    assert output.count("didn't change, skipping") == 7
    assert "decided before; nothing to do" in output
    assert len(mlflow.MlflowClient(mlflow_server).search_model_versions(f"name='{MODEL}'")) == 1


def test_preparing_again_gives_the_same_bytes_so_that_dvc_skips_the_rest(repository: Repository) -> None:
    repository.run("dvc", "repro", "--force", "--single-item", "prepare")
    assert repository.run("dvc", "repro").count("didn't change, skipping") == 7
