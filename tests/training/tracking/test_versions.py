"""A version is an ordinary model of MLflow, with what later comparisons need beside it; MLflow 2 runs these as well."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from app.contract.artifact_directory import content_hash, load_artifact
from app.contract.recommender import Recommender
from tests.artifacts import make_artifact, write
from tests.training.registered import REGISTERED
from tests.training.world import ROOT, Trained, grouped_ratings
from training.tracking import versions
from training.tracking.connection import connect
from training.tracking.versions import Evidence, register_version


def test_what_lies_beside_a_version_is_read_again(registered: Trained, tmp_path: Path) -> None:
    project, params = registered
    client = connect(project.root, REGISTERED)
    evidence = versions.load_evidence(client, REGISTERED, "1")
    assert evidence is not None
    assert (evidence.recipe["family"], evidence.recipe["seed"]) == ("test_svd", params.seed)
    pd.testing.assert_frame_equal(evidence.users, pd.read_parquet(project.users("test_svd")))
    assert evidence.lists is not None
    (tmp_path / "fetched").mkdir()
    served = versions.download_served(client, REGISTERED, "1", tmp_path / "fetched")
    assert content_hash(served) == content_hash(project.served)
    found = versions.find_version(client, REGISTERED, content_hash(project.served))
    assert str(found.version) == "1"
    address = versions.run_address(client, REGISTERED, "1")
    assert address.endswith(f"/runs/{found.run_id}")


def test_of_two_versions_of_one_artifact_the_first_counts(empty_registry: mlflow.MlflowClient) -> None:
    with mlflow.start_run() as run:
        mlflow.log_text("", "model/empty.txt")
    for _ in range(11):
        empty_registry.create_model_version(
            REGISTERED, f"{run.info.artifact_uri}/model", run.info.run_id, tags={versions.ARTIFACT_HASH: "abc"}
        )
    empty_registry.delete_model_version(REGISTERED, "1")
    assert versions.claim_version(empty_registry, REGISTERED, "abc", "11") == "2"
    assert versions.claim_version(empty_registry, REGISTERED, "abc", "2") == "2"
    left = empty_registry.search_model_versions(f"name='{REGISTERED}'")
    assert sorted(int(version.version) for version in left) == list(range(2, 11))


@pytest.mark.long
def test_the_version_is_an_ordinary_pyfunc_model(registered: Trained, tmp_path: Path) -> None:
    project, _ = registered
    script = f"""
import mlflow, pandas as pd, sys
mlflow.set_tracking_uri({f"sqlite:///{project.root / 'mlflow.db'}"!r})
model = mlflow.pyfunc.load_model("models:/movie-recommender/1")
answer = model.predict(pd.DataFrame({{"user_id": [1, 999]}}), params={{"k": 3}})
assert "training" not in sys.modules
print(answer.to_json(orient="records"))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    known, unknown = json.loads(done.stdout.splitlines()[-1])
    seen = set(grouped_ratings().query("user_id == 1").item_id)
    assert len(known["item_ids"]) == 3
    assert not seen & set(known["item_ids"])
    assert unknown["scores"] == sorted(unknown["scores"], reverse=True)


def test_results_per_user_and_lists_lie_beside_the_version(registered: Trained) -> None:
    project, _ = registered
    lists = pd.read_parquet(next(project.root.glob("mlruns/**/evaluation/lists.parquet")))
    assert len(lists) == 80
    recommender = Recommender(load_artifact(project.served))
    ranked = recommender.recommend(np.array([recommender.user_row("7")]), 10).items[0]
    expected = recommender.artifact.item_ids[ranked].astype(str).tolist()
    assert lists.set_index("user_id")["items"]["7"].tolist() == expected
    found = next(project.root.glob("mlruns/**/evaluation/users.parquet"))
    pd.testing.assert_frame_equal(pd.read_parquet(found), pd.read_parquet(project.users("test_svd")))
    assert ROOT not in found.parents


def test_a_model_with_text_ids_and_no_k_answers_ten_of_them(tmp_path: Path, empty_store: Path) -> None:
    shutil.copy(empty_store, tmp_path)
    users, items = ["ann", "bob", "cy"], [f"film {number}" for number in range(12)]
    served = write(tmp_path / "served", make_artifact(users, items))
    connect(tmp_path, "films")
    evidence = Evidence({"family": "any"}, pd.DataFrame({"user_id": users, "ndcg@10": [0.1, 0.2, 0.3]}))
    with mlflow.start_run():
        assert register_version("films", served, evidence, {}) == "1"
    model = mlflow.pyfunc.load_model("models:/films/1")
    schema = model.metadata.signature.inputs.to_dict()
    assert [(column["name"], column["type"]) for column in schema] == [("user_id", "string")]
    answer = model.predict(pd.DataFrame({"user_id": ["bob"]}))["item_ids"][0]
    assert len(answer) == 10
    assert set(answer) < set(items)
    assert model.input_example["user_id"].tolist() == ["ann", "bob"]
