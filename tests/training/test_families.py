"""What holds for every model family."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import surprise
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from threadpoolctl import threadpool_limits

from app.artifact import load_artifact
from tests.training.world import ROOT, grouped_ratings, make_project
from training.assembly import Knowledge
from training.dataset import SPLITS, load_dataset
from training.errors import ParamsError, TrainingError
from training.evaluate import rank_test
from training.models import FAMILIES, make_family
from training.models.base import Factors
from training.models.surprise_svd import trainset_of
from training.params import load_params
from training.train import fit_artifact, train

DEFAULTS = load_params(ROOT / "params.yaml").models
# A world of 80 users and films needs little.
SMALL: dict[str, dict[str, Any]] = {
    "ease": {"embedding_size": 16, "regularization": 5.0},
    "implicit_als": {"embedding_size": 8, "regularization": 1.0, "epochs": 8},
    "implicit_bpr": {"embedding_size": 8, "epochs": 60},
    "lightfm": {"embedding_size": 8, "epochs": 8, "patience": 3},
    "sklearn_nmf": {"embedding_size": 4},
    "sklearn_svd": {"embedding_size": 4},
    "surprise_svd": {"embedding_size": 8, "epochs": 40},
}
PERSONAL = [name for name in FAMILIES if name != "popularity"]
# Surprise's SVD predicts stars, which says little of what somebody will choose.
RANKING = [name for name in PERSONAL if name != "surprise_svd"]


def params_of(name: str) -> dict[str, Any]:
    return {**DEFAULTS[name], **SMALL.get(name, {})}


def fitted(tmp_path: Path, name: str) -> tuple[Knowledge, Factors]:
    project, params = make_project(tmp_path / name)
    knowledge = Knowledge(load_dataset(project.prepared), SPLITS, params.threads)
    return knowledge, make_family(name, params_of(name)).fit(knowledge.training_data, np.random.default_rng(0))


@pytest.mark.parametrize("name", RANKING)
def test_the_groups_are_learned_and_survive_the_artifact(tmp_path: Path, name: str) -> None:
    changes = {f"models__{name}": params_of(name)}
    project, params = make_project(tmp_path, candidates=[name, "popularity"], **changes)
    dataset, ndcg = load_dataset(project.prepared), {}
    for candidate in params.candidates:
        train(project, params, candidate)
        outcome = rank_test(load_artifact(project.model(candidate)), dataset, params.evaluate)
        ndcg[candidate] = float(outcome.per_user("ndcg@10").mean())
    assert ndcg[name] > 2 * ndcg["popularity"]


@pytest.mark.parametrize("name", FAMILIES)
def test_two_fits_with_one_thread_are_equal_to_the_bit(tmp_path: Path, name: str) -> None:
    (_, first), (_, second) = fitted(tmp_path / "1", name), fitted(tmp_path / "2", name)
    for field in ("user_embeddings", "item_embeddings", "user_biases", "item_biases"):
        assert getattr(first, field).tobytes() == getattr(second, field).tobytes()


@pytest.mark.parametrize("name", FAMILIES)
def test_shapes_and_types_are_those_of_an_artifact(tmp_path: Path, name: str) -> None:
    knowledge, factors = fitted(tmp_path, name)
    n_users, n_items = knowledge.training_data.positives.shape
    dim = factors.user_embeddings.shape[1]
    assert factors.user_embeddings.shape == (n_users, dim)
    assert factors.item_embeddings.shape == (n_items, dim)
    assert factors.user_biases.shape == (n_users,)
    assert factors.item_biases.shape == (n_items,)
    assert {array.dtype for array in vars(factors).values()} == {np.dtype(np.float32)}
    assert factors.is_usable()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_user_without_a_positive_has_no_vector(tmp_path: Path, name: str) -> None:
    ratings = grouped_ratings()
    ratings.loc[ratings["user_id"] == 7, "rating"] = 1.0
    project, params = make_project(tmp_path, ratings)
    knowledge = Knowledge(load_dataset(project.prepared), SPLITS, params.threads)
    factors = make_family(name, params_of(name)).fit(knowledge.training_data, np.random.default_rng(0))
    row = knowledge.dataset.user_ids.tolist().index(7)
    assert not factors.user_embeddings[row].any()
    if name != "popularity":
        assert factors.user_embeddings[row + 1].any()


@pytest.mark.parametrize("name", PERSONAL)
def test_somebody_new_with_the_history_of_a_user_gets_that_user_s_taste(tmp_path: Path, name: str) -> None:
    knowledge, _ = fitted(tmp_path, name)
    family = make_family(name, params_of(name))
    artifact = fit_artifact(knowledge, name, family, seed=0)
    history = knowledge.training_data.positives[5].indices
    folded = artifact.encoder[history].sum(axis=0) / np.sqrt(len(history)) + artifact.encoder_intercept
    mine, other = ((artifact.item_embeddings @ vector)[5 % 4 :: 4].mean() for vector in (folded, -folded))
    assert mine > other


@pytest.mark.parametrize("name", FAMILIES)
def test_an_unknown_parameter_is_refused_and_so_is_a_missing_one(name: str) -> None:
    with pytest.raises(ParamsError, match=rf"models\.{name}: banana is not a known key"):
        make_family(name, {**DEFAULTS[name], "banana": 1})
    for key in DEFAULTS[name]:
        with pytest.raises(ParamsError, match=rf"models\.{name}: {key} is missing"):
            make_family(name, {other: value for other, value in DEFAULTS[name].items() if other != key})


@pytest.mark.parametrize("name", PERSONAL)
def test_every_parameter_is_checked(name: str) -> None:
    for key, value in DEFAULTS[name].items():
        for wrong in ("x", -1) if not isinstance(value, str | bool) else (3,):
            with pytest.raises(ParamsError, match=rf"models\.{name}: {key}: .*, not {wrong!r}"):
                make_family(name, {**DEFAULTS[name], key: wrong})


def test_ease_uncut_ranks_as_its_item_to_item_matrix_does(tmp_path: Path) -> None:
    knowledge, _ = fitted(tmp_path, "ease")
    data = knowledge.training_data
    histories = data.positives.toarray().astype(np.float64)
    inverse = np.linalg.inv(histories.T @ histories + 5.0 * np.eye(histories.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    expected = histories @ weights / np.sqrt(histories.sum(axis=1, keepdims=True))
    whole = {"embedding_size": histories.shape[1], "regularization": 5.0, "max_items": 1000}
    factors = make_family("ease", whole).fit(data, np.random.default_rng(0))
    assert factors.user_embeddings @ factors.item_embeddings.T == pytest.approx(expected, abs=1e-4)


def test_ease_leaves_out_the_items_with_fewest_positives(tmp_path: Path) -> None:
    knowledge, _ = fitted(tmp_path, "ease")
    data = knowledge.training_data
    counts = np.asarray(data.positives.sum(axis=0)).ravel()
    few = {"embedding_size": 8, "regularization": 5.0, "max_items": 20}
    factors = make_family("ease", few).fit(data, np.random.default_rng(0))
    kept = factors.item_embeddings.any(axis=1)
    assert kept.sum() == 20
    assert counts[kept].min() >= counts[~kept].max()


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("implicit_als", lambda p: AlternatingLeastSquares(8, p["regularization"], p["alpha"], iterations=8)),
        (
            "implicit_bpr",
            lambda p: BayesianPersonalizedRanking(8, p["learning_rate"], p["regularization"], iterations=60),
        ),
    ],
)
def test_implicit_s_scores_are_those_of_the_library(
    tmp_path: Path, name: str, model: Callable[[dict[str, Any]], Any]
) -> None:
    knowledge, factors = fitted(tmp_path, name)
    data = knowledge.training_data
    alone = model(params_of(name))
    alone.num_threads, alone.random_state = 1, int(np.random.default_rng(0).integers(2**31))
    with threadpool_limits(1, "blas"):
        alone.fit(data.positives, show_progress=False)
    scores = factors.user_embeddings @ factors.item_embeddings.T + factors.item_biases
    liked = np.asarray(data.positives.sum(axis=0)).ravel() > 0
    for user in (0, 7, 79):
        items, expected = alone.recommend(user, data.positives[user], N=10)
        assert liked[items].sum() > 5
        # Of what nobody liked the library keeps the vector it was born with.
        assert scores[user, items[liked[items]]] == pytest.approx(expected[liked[items]], rel=1e-4, abs=1e-5)


def test_surprise_s_scores_are_the_stars_that_the_library_predicts(tmp_path: Path) -> None:
    knowledge, factors = fitted(tmp_path, "surprise_svd")
    params, trainset = params_of("surprise_svd"), trainset_of(knowledge.training_data)
    alone = surprise.SVD(
        n_factors=params["embedding_size"],
        n_epochs=params["epochs"],
        lr_all=params["learning_rate"],
        reg_all=params["regularization"],
        random_state=int(np.random.default_rng(0).integers(2**31)),
    ).fit(trainset)
    scores = factors.user_embeddings @ factors.item_embeddings.T + factors.item_biases + factors.user_biases[:, None]
    for user, item in [(0, 0), (3, 50), (79, 79)]:
        predicted = alone.predict(user, item, clip=False).est
        assert scores[user, item] + trainset.global_mean == pytest.approx(predicted, abs=1e-4)


def test_surprise_refuses_data_without_stars(tmp_path: Path) -> None:
    ratings = grouped_ratings().drop(columns="rating")
    project, params = make_project(tmp_path, ratings, prepare__min_rating=None)
    knowledge = Knowledge(load_dataset(project.prepared), SPLITS, params.threads)
    with pytest.raises(TrainingError, match="surprise_svd predicts stars, and there are interactions without any"):
        make_family("surprise_svd", params_of("surprise_svd")).fit(knowledge.training_data, np.random.default_rng(0))
