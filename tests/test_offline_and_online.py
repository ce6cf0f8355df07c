"""What is measured offline is what is answered: the service's own lists give the metrics that `evaluate` reports."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact_directory import load_artifact, write_artifact
from app.settings import Settings
from tests.processes import free_port, wait_until
from tests.service import service
from tests.training.world import change_params
from training.data.dataset import Dataset, load_dataset
from training.evaluate import evaluate
from training.evaluation.ranking import rank_test
from training.fetch import fetch
from training.params.whole import Params
from training.prepare import prepare
from training.project import Project
from training.refit import with_ready_lists
from training.train import train

K = 10


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample, split in time: some test users have liked nothing before, so that nothing was learned about them."""
    project = Project(tmp_path_factory.mktemp("offline and online"))
    params = configure(project)
    fetch(params.fetch, params.seed, project.raw)
    prepare(params, project.raw, project.prepared, project.stats)
    for candidate in ("ease", "popularity"):
        train(project, params, candidate)
        evaluate(project, params, candidate)
    return project


def configure(project: Project) -> Params:
    return change_params(project, prepare__split__method="global", models__ease__embedding_size=32)


@pytest.mark.long
@pytest.mark.parametrize(
    ("candidate", "ready_items"),
    [
        ("ease", 0),
        ("ease", 50),
        ("popularity", 0),
    ],
    ids=["ease", "ease with ready lists", "popularity"],
)
def test_the_lists_that_are_answered_are_those_that_were_measured(
    candidate: str, ready_items: int, project: Project, tmp_path: Path
) -> None:
    artifact = load_artifact(project.model(candidate))
    dataset = load_dataset(project.prepared)
    outcome = rank_test(artifact, dataset, configure(project).evaluate)
    write_artifact(tmp_path / "served", with_ready_lists(artifact, ready_items))
    users = artifact.user_ids[outcome.user_rows].tolist()
    settings = Settings(
        model_dir=tmp_path / "served", mlflow_tracking_uri=f"http://127.0.0.1:{free_port()}",
        model_cache_dir=tmp_path / "cache", log_level="WARNING",
    )  # fmt: skip
    with service(settings, tmp_path / "log") as (client, _):
        wait_until(lambda: client.version() is not None)
        answers = {user: client.get(f"/users/{user}/recommendations?k={K}").json for user in users}
        stranger = client.get(f"/users/nobody/recommendations?k={K}").json
    lists = {user: [item["id"] for item in answer["items"]] for user, answer in answers.items()}
    offline = [[dataset.item_ids[row].item() for row in rows if row >= 0] for rows in outcome.lists[:, :K]]
    assert list(lists.values()) == offline

    report = json.loads(project.evaluation(candidate).read_text())
    relevant = items_of_the_test(dataset)
    online = np.array([ndcg_and_recall(lists[user], relevant[user]) for user in users])
    assert report["users"] == len(online) > 200
    for name, value in zip(("ndcg", "recall"), online.mean(axis=0), strict=True):
        assert value == pytest.approx(report["metrics"][f"{name}@{K}"], abs=1e-9)
    assert online[:, 0].mean() > 0.05

    # Somebody of whom nothing was learned gets the popular films, and was measured with them.
    expected = ["personalised" if vector.any() else "popular" for vector in artifact.user_embeddings[outcome.user_rows]]
    assert [answer["source"] for answer in answers.values()] == expected
    assert "popular" in expected
    assert stranger["source"] == "popular"
    popularity = artifact.popularity_scores
    best = sorted(range(len(popularity)), key=lambda row: (-popularity[row], row))[:K]
    assert [item["id"] for item in stranger["items"]] == [dataset.item_ids[row] for row in best]


def items_of_the_test(dataset: Dataset) -> dict[Any, set[Any]]:
    """What each user has liked in the test."""
    positives = dataset.interactions("test").positives()
    pairs = pd.DataFrame({"user": dataset.user_ids[positives.users], "item": dataset.item_ids[positives.items]})
    return {user: set(items) for user, items in pairs.groupby("user")["item"]}


def ndcg_and_recall(items: list[Any], relevant: set[Any]) -> tuple[float, float]:
    """By definition, from one answer."""
    gains = [1 / np.log2(place + 2) for place, item in enumerate(items) if item in relevant]
    best = sum(1 / np.log2(place + 2) for place in range(min(K, len(relevant))))
    return sum(gains) / best, len(gains) / len(relevant)
