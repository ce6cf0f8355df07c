import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact import Artifact
from app.contract.artifact_directory import content_hash, load_artifact
from app.contract.recommender import Recommender
from tests.artifacts import Film, film_of
from tests.training import families
from tests.training.world import GROUPS, Trained, change_params, make_project
from training.data.dataset import load_dataset
from training.data.interactions import Interactions
from training.errors import TrainingError
from training.evaluate import evaluate
from training.fitting.candidate import fit_candidate
from training.models.base import Factors, TrainingData
from training.models.families import FAMILIES
from training.models.validated_fit import EarlyStopping
from training.params.section import Section
from training.refit import best_candidate, refit
from training.train import train

QUICK: dict[str, Any] = {
    "models__lightfm__epochs": 8,
    "models__lightfm__patience": 2,
    "models__lightfm__embedding_size": 8,
}


@pytest.mark.long
def test_lightfm_learns_the_groups_and_beats_popularity(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, **QUICK)
    for candidate in params.candidates:
        train(project, params, candidate)
        evaluate(project, params, candidate)
    ndcg = {name: json.loads(project.evaluation(name).read_text())["metrics"]["ndcg@10"] for name in params.candidates}
    assert ndcg["lightfm"] > 2 * ndcg["popularity"]
    assert best_candidate(project, params) == "lightfm"


def test_the_number_of_epochs_is_found_on_validation_and_kept(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, **QUICK)
    train(project, params, "lightfm")
    record = json.loads(project.training("lightfm").read_text())
    curve = pd.read_csv(project.plot("learning", "lightfm"))
    assert record["params"]["epochs"] == curve.epoch[curve.value.to_numpy().argmax()]
    assert record["params"]["patience"] is None
    assert load_artifact(project.model("lightfm")).recipe.params == record["params"]


def test_early_stopping_ends_after_patience_epochs_without_a_better_one() -> None:
    values = iter([0.1, 0.3, 0.2, 0.3, 0.9])
    stopping = EarlyStopping(lambda _: next(values), patience=2)
    stops = [stopping(epoch, lambda: None) for epoch in range(1, 5)]  # type: ignore[arg-type, return-value]
    assert stops == [False, False, False, True]
    assert stopping.best_epoch == 2


def test_two_trainings_with_one_thread_give_the_same_bytes(tmp_path: Path) -> None:
    hashes = []
    for name in ("a", "b"):
        project, params = make_project(tmp_path / name, **QUICK)
        train(project, params, "lightfm")
        hashes.append(content_hash(project.model("lightfm")))
    assert hashes[0] == hashes[1]


@pytest.mark.long
def test_another_seed_gives_another_model(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, **QUICK)
    train(project, params, "lightfm")
    first = content_hash(project.model("lightfm"))
    train(project, change_params(project, seed=43, **QUICK), "lightfm")
    assert content_hash(project.model("lightfm")) != first


def test_an_evaluated_artifact_knows_nothing_of_the_test(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, **QUICK)
    train(project, params, "popularity")
    artifact, dataset = load_artifact(project.model("popularity")), load_dataset(project.prepared)
    test = dataset.interactions("test")
    rows = np.searchsorted(artifact.user_ids, dataset.user_ids[test.users])
    for row, item in zip(rows, test.items, strict=True):
        assert item not in artifact.seen_indices[artifact.seen_indptr[row] : artifact.seen_indptr[row + 1]]
    known = dataset.interactions("train", "validation")
    assert artifact.item_popularity.sum() == known.positive.sum()
    assert len(artifact.seen_indices) == len(known)


def test_the_served_artifact_has_learned_from_everything_and_hides_all_that_was_rated(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, candidates=["popularity"])
    train(project, params, "popularity")
    assert refit(project, params) == "popularity"
    served, dataset = load_artifact(project.served), load_dataset(project.prepared)
    everything = dataset.interactions("train", "validation", "test")
    assert served.item_popularity.sum() == everything.positive.sum()
    assert len(served.seen_indices) == len(everything)
    assert served.seen_indices.dtype == np.int32
    assert_what_is_liked_is_what_is_positive(served, everything)
    assert film_of(served.catalogue, 0) == Film("Film 1", 1981, ["Drama"])
    assert len(served.item_ids) == 81  # with the film nobody rated


def assert_what_is_liked_is_what_is_positive(artifact: Artifact, interactions: Interactions) -> None:
    users = np.repeat(np.arange(len(artifact.user_ids)), np.diff(artifact.seen_indptr))
    liked = set(
        zip(users[artifact.seen_liked].tolist(), artifact.seen_indices[artifact.seen_liked].tolist(), strict=True)
    )
    positives = interactions.positives()
    assert liked == set(zip(positives.users.tolist(), positives.items.tolist(), strict=True))
    assert 0 < len(liked) < len(interactions)


@pytest.mark.long
def test_a_user_without_a_positive_has_no_vector_but_a_history(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, prepare__min_rating=5.0, **QUICK)
    raw = pd.read_csv(project.raw / "interactions.csv")
    raw.loc[raw.user_id == 1, "rating"] = 1.0
    project, params = make_project(tmp_path / "second", raw, **QUICK)
    train(project, params, "lightfm")
    artifact = load_artifact(project.model("lightfm"))
    assert artifact.user_ids[0] == 1
    assert not artifact.user_embeddings[0].any()
    assert artifact.seen_indptr[1] == 15


def test_a_family_is_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    families.add_to(monkeypatch)
    project, params = make_project(tmp_path, candidates=["test_svd"])
    train(project, params, "test_svd")
    evaluate(project, params, "test_svd")
    assert json.loads(project.evaluation("test_svd").read_text())["metrics"]["ndcg@10"] > 0.3


class Diverging(Section):
    """Learns one number, whatever the data."""

    number: str

    def fit(self, data: TrainingData, *_: object) -> Factors:
        n_users, n_items = data.positives.shape
        learned = np.full((max(n_users, n_items), 1), float(self.number), dtype=np.float32)
        return Factors(learned[:n_users], learned[:n_items], learned[:n_users, 0], learned[:n_items, 0])


@pytest.mark.parametrize("number", ["nan", "inf", "1e20"])
def test_a_model_that_diverged_is_refused(number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "diverging", f"{__name__}:Diverging")
    project, params = make_project(tmp_path, candidates=["diverging"])
    monkeypatch.setitem(params.models, "diverging", {"number": number})
    with pytest.raises(TrainingError, match="diverging learned NaN, infinite or huge numbers"):
        fit_candidate(load_dataset(project.prepared), params, "diverging")


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "absent", "training.models.no_such_module:Absent")
    project, params = make_project(tmp_path, candidates=["absent"])
    with pytest.raises(TrainingError, match="library of the model family 'absent' can't be imported"):
        train(project, params, "absent")


def test_ready_lists_hold_what_the_kernel_ranks_for_every_user(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, candidates=["lightfm"], refit__ready_items=20, **QUICK)
    train(project, params, "lightfm")
    refit(project, params)
    artifact = load_artifact(project.served)
    assert artifact.ready_items is not None
    assert artifact.ready_scores is not None
    assert artifact.ready_items.shape == artifact.ready_scores.shape == (80, 20)
    recommender = Recommender(artifact)
    for row in range(80):
        ranked = recommender.top(recommender.user_vector(row), 20, recommender.seen(row))
        assert artifact.ready_items[row].tolist() == ranked.items[0].tolist()
        assert recommender.ready(row, 20).scores.tolist() == ranked.scores.round(6).tolist()


def test_seconds_of_fitting_are_kept_with_the_hash_of_what_was_fitted(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, candidates=["popularity"])
    train(project, params, "popularity")
    record = json.loads(project.seconds("popularity").read_text())
    assert record["content_hash"] == content_hash(project.model("popularity"))
    assert 0 < record["fit_seconds"] < 60


def test_a_film_that_nobody_has_rated_is_like_those_of_its_genre(with_cold_film: Trained) -> None:
    project, _ = with_cold_film
    artifact = load_artifact(project.model("test_svd"))
    assert artifact.item_encoder is not None
    assert {"column": "genres", "value": "Comedy"} in artifact.item_features
    scores = artifact.user_embeddings @ artifact.item_embeddings[80] + artifact.item_biases[80]
    fans = np.arange(len(scores)) % GROUPS == 80 % GROUPS
    assert scores[fans].min() > scores[~fans].max()
