"""Attributes of people make vectors: of those who have rated nothing, and of those who come to the service."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from app.contract.artifact import Artifact
from app.contract.artifact_directory import load_artifact
from app.contract.attributes import person_vector
from app.contract.recommender import Recommender
from benchmarks.quality import without
from tests.artifacts import make_artifact
from tests.marks import long
from tests.training.data.archives import MOVIELENS
from tests.training.world import GROUPS, change_params, grouped_ratings, make_project
from training.data.dataset import SPLITS, load_dataset
from training.data.raw import read_users
from training.fetch import fetch
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_candidate
from training.fitting.people import FIRST, first_likes
from training.metrics.bootstrap import confidence_interval
from training.metrics.ranking import ndcg
from training.models import make_family
from training.models.base import TrainingData
from training.params.whole import Params
from training.prepare import prepare
from training.project import Project
from training.refit import refit
from training.train import train

TOWNS = ["rome", "oslo", "lima", "cairo"]  # of each group of users
NEW = {900 + group: town for group, town in enumerate(TOWNS)}
MOVIELENS_PEOPLE = {
    "age": {"type": "number", "widths": [10]}, "sex": {"type": "tag"}, "occupation": {"type": "tag"},
}  # fmt: skip
QUICK = {"models__ease__embedding_size": 8, "models__implicit_als__embedding_size": 8, "models__lightfm__epochs": 3}


def of_towns(folder: Path, **changes: Any) -> tuple[Project, Params]:
    """A project with users whose town tells their group, four of whom have rated nothing; user 1 has only dislikes."""
    ratings = grouped_ratings()
    ratings.loc[ratings.user_id == 1, "rating"] = 1.0
    project, _ = make_project(folder, ratings)
    towns = {user: TOWNS[(user - 1) % GROUPS] for user in range(1, 81)}
    people = pd.DataFrame(list({**towns, **NEW}.items()), columns=["user_id", "town"])
    people.to_csv(project.raw / "users.csv", index=False)
    params = change_params(project, catalogue__users={"town": {"type": "tag"}}, **QUICK, **changes)
    prepare(params, project.raw, project.prepared, project.stats)
    return project, params


def groups_of(artifact: Artifact, rows: np.ndarray[Any, Any]) -> list[list[int]]:
    """The groups of the first five films of each user."""
    items = Recommender(artifact).recommend(rows, 5).items
    return [sorted({(int(artifact.item_ids[row]) - 1) % GROUPS for row in each}) for each in items]


@pytest.mark.parametrize(
    "family",
    [
        "ease",
        *long(["lightfm", "implicit_als", "sklearn_svd", "blend"]),
    ],
)
def test_every_family_knows_people_by_their_attributes(tmp_path: Path, family: str) -> None:
    project, params = of_towns(tmp_path, candidates=[family])
    train(project, params, family)
    refit(project, params)
    artifact = load_artifact(project.served)
    assert [column.name for column in artifact.user_columns] == ["town"]
    for group, town in enumerate(TOWNS):
        recommender = Recommender(artifact)
        vector = recommender.fold_in(np.array([], dtype=np.int64), person_vector(artifact, {"town": town}))
        newcomer = recommender.user_row(str(900 + group))
        assert newcomer is not None
        assert vector.tolist() == pytest.approx(recommender.user_vector(newcomer).tolist(), rel=1e-4)
        best = recommender.top(vector, 5).items[0]
        assert {(int(artifact.item_ids[row]) - 1) % GROUPS for row in best} == {group}
    newcomers = np.searchsorted(artifact.user_ids, list(NEW))
    assert artifact.user_ids[newcomers].tolist() == list(NEW)
    assert groups_of(artifact, newcomers) == [[group] for group in range(GROUPS)]
    assert groups_of(artifact, np.array([0])) == [[0]]  # who likes nothing yet
    assert artifact.seen_indptr[-1] == len(artifact.seen_indices) == 80 * 15


def test_what_comes_first_is_told_from_what_is_liked_in_all() -> None:
    n_items, features = FIRST + 2, sparse.csr_matrix(np.array([[1], [0]], dtype=np.float32))
    likes = sparse.csr_matrix(np.ones((2, n_items), dtype=np.float32))
    oldest_last = np.tile(np.arange(n_items, 0.0, -1), 2)
    data = TrainingData(likes, sparse.csr_matrix((n_items, 0), dtype=np.float32), 1, likes, oldest_last)
    late = np.arange(n_items) < 2
    artifact = make_artifact(
        item_ids=range(n_items), dim=2, encoder=np.stack([~late, late], axis=1).astype(np.float32),
        user_ids=[1, 2], user_embeddings=np.array([[0, 3], [5, 5]], dtype=np.float32),
    )  # fmt: skip
    found = first_likes(artifact, features, data)
    assert found is not None
    np.testing.assert_allclose(found, [3, -3], rtol=1e-6)  # of the first user alone, as nothing is known of the other
    assert first_likes(artifact, features, replace(data, times=None)) is None


def test_popularity_knows_nobody(tmp_path: Path) -> None:
    project, params = of_towns(tmp_path, candidates=["popularity"])
    train(project, params, "popularity")
    artifact = load_artifact(project.model("popularity"))
    assert artifact.user_encoder is None
    assert not set(NEW) & set(artifact.user_ids.tolist())


@pytest.mark.long
def test_validation_decides_whether_lightfm_learns_from_attributes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, params = of_towns(tmp_path, candidates=["lightfm"])
    dataset = load_dataset(project.prepared)
    chosen = fit_candidate(dataset, params, "lightfm").artifact.recipe.params["user_features"]
    said = capsys.readouterr().err
    metrics = [
        float(part.split(" ")[-1]) for part in said.split("validation: ")[1].splitlines()[0].split(", with them")
    ]
    assert chosen == (metrics[1] > metrics[0])
    capsys.readouterr()
    assert not fit_candidate(replace(dataset, people=None), params, "lightfm").artifact.recipe.params["user_features"]
    assert "attributes" not in capsys.readouterr().err


@pytest.mark.long
def test_lightfm_with_attributes_learns_other_vectors(tmp_path: Path) -> None:
    project, params = of_towns(tmp_path)
    knowledge = Knowledge(load_dataset(project.prepared), SPLITS, 1)
    section = params.models["lightfm"] | {"encode_users": False, "recency_power": 0.0}
    with_them, without = (
        make_family("lightfm", section | {"user_features": choice}).fit(
            knowledge.training_data, np.random.default_rng(0)
        )
        for choice in (True, False)
    )
    assert not np.allclose(with_them.user_embeddings, without.user_embeddings)


@pytest.mark.long
@pytest.mark.skipif(not (MOVIELENS / "ml-100k").exists(), reason=f"ml-100k isn't in {MOVIELENS}")
def test_on_real_ratings_the_first_likes_of_strangers_are_found_better_than_by_popularity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOVIELENS_DIR", str(MOVIELENS))
    project = Project(tmp_path)
    params = change_params(project, fetch__source="ml-100k", catalogue__users=MOVIELENS_PEOPLE)
    fetch(params.fetch, params.seed, project.raw, params.catalogue)
    prepare(params, project.raw, project.prepared, project.stats)
    dataset = load_dataset(project.prepared)
    hidden = np.random.default_rng(0).choice(dataset.n_users, dataset.n_users // 3, replace=False)
    artifact = fit_candidate(without(dataset, gone_users=hidden), params, "implicit_als").artifact
    everything, recommender = dataset.interactions(*SPLITS).positives(), Recommender(artifact)
    known = read_users(project.raw, params.catalogue.users)
    assert known is not None
    popular, gains = recommender.popular(10).items[0], []
    for user in hidden.tolist():
        liked = everything.where(everything.users == user)
        first = liked.items[np.argsort(liked.times, kind="stable")][:3]
        start = person_vector(artifact, known.drop(columns="user_id").iloc[user].to_dict())
        vector = recommender.fold_in(np.array([], dtype=np.int64), start)
        hits = np.array([np.isin(found, first) for found in (popular, recommender.top(vector, 10).items[0])])
        gains.append(np.diff(ndcg(hits, np.full(2, 3))))
    assert confidence_interval(np.array(gains), 1000, 0.95, np.random.default_rng(0))[0].low > 0.01
