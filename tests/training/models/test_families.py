"""What holds for every model family: one battery over the whole of FAMILIES."""

from collections.abc import Callable
from typing import Any

import lightfm
import numpy as np
import pytest
from scipy import sparse
from threadpoolctl import threadpool_limits

from app.contract.artifact import content_hash, load_artifact
from app.contract.recommender import Recommender
from tests.training.world import GROUPS, ROOT, grouped_ratings, make_project
from training.data.dataset import Dataset, load_dataset
from training.errors import ParamsError, TrainingError
from training.evaluation.ranking import rank_test
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_candidate
from training.models import make_family
from training.models.base import Factors, TrainingData
from training.models.families import FAMILIES
from training.params.whole import Params, load_params
from training.project import Project
from training.train import train

SMALL_LIGHTFM: dict[str, Any] = {"epochs": 8, "patience": 2, "embedding_size": 8}
SMALL_ALS: dict[str, Any] = {"embedding_size": 8, "regularization": 1.0}
SMALL_EASE: dict[str, Any] = {"embedding_size": 8, "regularization": 20.0}
# Sizes for 80 users; all else is the default.
SMALL: dict[str, dict[str, Any]] = {
    "lightfm": SMALL_LIGHTFM,
    "implicit_als": SMALL_ALS,
    "implicit_bpr": {"embedding_size": 8, "epochs": 150, "patience": 50},
    "ease": SMALL_EASE,
    "sklearn_svd": {"embedding_size": 8},
    "sklearn_nmf": {"embedding_size": 8},
    "surprise_svd": {"embedding_size": 8},
    "popularity": {},
}
DEFAULTS = load_params(ROOT / "params.yaml").models
# Ranking by predicted stars has no reason to find what will be watched.
RANKING = [name for name in FAMILIES if name not in ("popularity", "surprise_svd")]


def small(name: str) -> dict[str, Any]:
    if name == "blend":
        return {"members": {member: small(member) for member in DEFAULTS["blend"]["members"]}, "weights": None}
    return {**DEFAULTS[name], **SMALL[name]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Params, Dataset]:
    ratings = grouped_ratings()
    ratings.loc[ratings.user_id == 1, "rating"] = 1.0  # somebody who likes nothing
    project, params = make_project(tmp_path_factory.mktemp("families"), ratings)
    for name in FAMILIES:
        params.models[name] = small(name)
    return project, params, load_dataset(project.prepared)


@pytest.fixture(scope="module")
def data(world: tuple[Project, Params, Dataset]) -> TrainingData:
    return Knowledge(world[2], ("train", "validation"), 1).training_data


@pytest.fixture(scope="module")
def learned(data: TrainingData) -> Callable[[str], Factors]:
    kept: dict[str, Factors] = {}

    def factors(name: str) -> Factors:
        if name not in kept:
            kept[name] = fitted(name, data)
        return kept[name]

    return factors


def fitted(name: str, data: TrainingData, **changes: Any) -> Factors:
    with threadpool_limits(1):
        return make_family(name, {**small(name), **changes}).fit(data, np.random.default_rng(7))


def ndcg(dataset: Dataset, params: Params, name: str) -> float:
    outcome = rank_test(fit_candidate(dataset, params, name).artifact, dataset, params.evaluate)
    return float(outcome.per_user("ndcg@10").mean())


@pytest.mark.parametrize("name", RANKING)
def test_it_learns_who_likes_what(name: str, world: tuple[Project, Params, Dataset]) -> None:
    _, params, dataset = world
    assert ndcg(dataset, params, name) > 2 * ndcg(dataset, params, "popularity")


@pytest.mark.parametrize("name", FAMILIES)
def test_two_trainings_give_the_same_bytes_and_an_encoder(name: str, world: tuple[Project, Params, Dataset]) -> None:
    project, params, _ = world
    hashes = []
    for _ in range(2):
        train(project, params, name)
        hashes.append(content_hash(project.model(name)))
    assert hashes[0] == hashes[1]
    artifact = load_artifact(project.model(name))
    assert artifact.encoder.shape == artifact.item_embeddings.shape
    assert np.isfinite(artifact.encoder).all()
    assert artifact.encoder.any() == artifact.user_embeddings.any()


@pytest.mark.parametrize("name", FAMILIES)
def test_factors_are_finite_float32_of_the_right_shape(
    name: str, learned: Callable[[str], Factors], data: TrainingData
) -> None:
    factors, (n_users, n_items) = learned(name), data.positives.shape
    assert factors.is_usable()
    assert factors.user_embeddings.shape == (n_users, factors.item_embeddings.shape[1])
    assert factors.item_embeddings.shape[0] == len(factors.item_biases) == n_items
    assert len(factors.user_biases) == n_users
    arrays = (factors.user_embeddings, factors.item_embeddings, factors.user_biases, factors.item_biases)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", FAMILIES)
def test_who_likes_nothing_has_no_vector(name: str, learned: Callable[[str], Factors], data: TrainingData) -> None:
    factors = learned(name)
    unknown = np.diff(data.positives.indptr) == 0
    assert unknown.any()
    assert not factors.user_embeddings[unknown].any()
    if name != "popularity":
        assert factors.user_embeddings[~unknown].any(axis=1).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_an_unknown_parameter_is_named(name: str) -> None:
    with pytest.raises(ParamsError, match=f"params.yaml: models.{name}: embeding_size is not a known key"):
        make_family(name, {**small(name), "embeding_size": 3})


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, key) for name in FAMILIES for key, value in small(name).items() if type(value) in (int, float)],
)
def test_a_wrong_value_is_named_with_its_key(name: str, key: str) -> None:
    with pytest.raises(ParamsError, match=f"params.yaml: models.{name}: {key}: .*, not -1"):
        make_family(name, {**small(name), key: -1 if isinstance(small(name)[key], int) else -1.0})


@pytest.mark.parametrize("name", FAMILIES)
def test_a_saved_artifact_scores_as_its_factors_do(name: str, world: tuple[Project, Params, Dataset]) -> None:
    project, params, dataset = world
    train(project, params, name)
    saved, fresh = load_artifact(project.model(name)), fit_candidate(dataset, params, name).artifact
    rows = np.arange(len(saved.user_ids))
    np.testing.assert_array_equal(Recommender(saved).scores(rows), Recommender(fresh).scores(rows))


def test_als_scores_are_those_of_the_library(data: TrainingData, learned: Callable[[str], Factors]) -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    params, seed = small("implicit_als"), int(np.random.default_rng(7).integers(2**31))
    with threadpool_limits(1):
        model = AlternatingLeastSquares(
            params["embedding_size"], params["regularization"], params["alpha"],
            iterations=params["epochs"], num_threads=1, random_state=seed,
        )  # fmt: skip
        model.fit(data.positives, show_progress=False)
        items, scores = model.recommend(5, data.positives[5], N=10)
    factors = learned("implicit_als")
    np.testing.assert_allclose(factors.item_embeddings[items] @ factors.user_embeddings[5], scores, atol=1e-6)


def test_bpr_scores_are_those_of_the_library_with_its_item_bias(
    data: TrainingData, learned: Callable[[str], Factors]
) -> None:
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    params, seed = small("implicit_bpr"), int(np.random.default_rng(7).integers(2**31))
    with threadpool_limits(1):
        model = BayesianPersonalizedRanking(
            params["embedding_size"], params["learning_rate"], params["regularization"],
            iterations=params["epochs"], num_threads=1, random_state=seed,
        )  # fmt: skip
        model.fit(data.positives, show_progress=False)
        items, scores = model.recommend(5, data.positives[5], N=10)
    factors = learned("implicit_bpr")
    ours = factors.item_embeddings[items] @ factors.user_embeddings[5] + factors.item_biases[items]
    np.testing.assert_allclose(ours, scores, atol=1e-5)
    assert factors.item_biases.any()


def test_surprise_scores_are_the_stars_that_the_library_predicts(
    data: TrainingData, learned: Callable[[str], Factors]
) -> None:
    from surprise import SVD, Trainset

    stars, params = data.stars, small("surprise_svd")
    rows, columns = stars.tocoo(), stars.tocsc().tocoo()
    by_user: dict[int, list[tuple[int, float]]] = {}
    by_item: dict[int, list[tuple[int, float]]] = {}
    for user, item, star in zip(rows.row.tolist(), rows.col.tolist(), rows.data.tolist(), strict=True):
        by_user.setdefault(user, []).append((item, star))
    for user, item, star in zip(columns.row.tolist(), columns.col.tolist(), columns.data.tolist(), strict=True):
        by_item.setdefault(item, []).append((user, star))
    trainset = Trainset(by_user, by_item, *stars.shape, stars.nnz, (1, 5), {}, {})
    seed = int(np.random.default_rng(7).integers(2**31))
    model = SVD(params["embedding_size"], params["epochs"], lr_all=0.005, reg_all=0.02, random_state=seed)
    model.fit(trainset)
    factors, user = learned("surprise_svd"), 3
    ours = factors.item_embeddings @ factors.user_embeddings[user] + factors.item_biases
    ours += factors.user_biases[user] + trainset.global_mean
    predicted = [model.estimate(user, item) for item in range(stars.shape[1])]
    np.testing.assert_allclose(ours, predicted, atol=1e-5)


def test_lightfm_scores_are_those_of_the_library(data: TrainingData, learned: Callable[[str], Factors]) -> None:
    params, seed = small("lightfm"), int(np.random.default_rng(7).integers(2**31))
    model = lightfm.LightFM(
        **{key: params[key] for key in ("loss", "learning_schedule", "learning_rate", "item_alpha", "user_alpha")},
        no_components=params["embedding_size"], max_sampled=params["max_sampled"], random_state=seed,
    )  # fmt: skip
    features = sparse.hstack([sparse.identity(data.positives.shape[1]), data.item_features], format="csr")
    model.fit(data.positives.tocoo(), item_features=features, epochs=params["epochs"], num_threads=1)
    predicted = model.predict(5, np.arange(data.positives.shape[1]), item_features=features)
    factors = learned("lightfm")
    ours = factors.item_embeddings @ factors.user_embeddings[5] + factors.item_biases + factors.user_biases[5]
    np.testing.assert_allclose(ours, predicted, atol=1e-5)


def test_lightfm_with_seeds_scores_as_the_mean_of_its_models(data: TrainingData) -> None:
    both = fitted("lightfm", data, seeds=2)
    assert both.item_embeddings.shape[1] == 2 * small("lightfm")["embedding_size"]
    rng = np.random.default_rng(7)
    models = [make_family("lightfm", small("lightfm")).fit(data, rng) for _ in range(2)]
    mean = sum(model.user_embeddings @ model.item_embeddings.T + model.item_biases for model in models) / 2
    np.testing.assert_allclose(both.user_embeddings @ both.item_embeddings.T + both.item_biases, mean, atol=1e-5)


def test_lightfm_started_from_als_knows_the_groups_after_one_epoch(data: TrainingData) -> None:
    # One epoch of so small steps learns nothing by itself.
    changes = {"epochs": 1, "learning_rate": 1e-4, "item_features": False, "als": {"regularization": 1.0}}
    started, random = (fitted("lightfm", data, init=init, **changes) for init in ("als", "random"))

    def auc(factors: Factors) -> float:
        own = np.arange(data.positives.shape[1]) % GROUPS == 2
        scores = factors.item_embeddings @ factors.user_embeddings[2] + factors.item_biases
        return float((scores[own][:, None] > scores[~own]).mean())

    assert auc(started) > 0.95
    assert auc(random) < 0.8


@pytest.mark.parametrize("library", ["svd", "nmf"])
def test_sklearn_scores_approach_the_positives_as_the_library_says(
    library: str, data: TrainingData, learned: Callable[[str], Factors]
) -> None:
    factors = learned(f"sklearn_{library}")
    error = np.linalg.norm(factors.user_embeddings @ factors.item_embeddings.T - data.positives.toarray())
    _, strengths, _ = np.linalg.svd(data.positives.toarray())
    least = np.sqrt((strengths[8:] ** 2).sum())  # of any product of that rank
    assert least - 1e-3 <= error < least * (1.005 if library == "svd" else 1.1)


def test_surprise_needs_stars(data: TrainingData) -> None:
    without = data.stars.copy()
    without.data[:] = np.nan
    with pytest.raises(TrainingError, match="surprise_svd predicts stars and the data has none"):
        fitted("surprise_svd", TrainingData(data.positives, data.item_features, 1, without))


def test_ease_uncut_scores_as_the_regression_of_each_item_on_all_others(data: TrainingData) -> None:
    factors = fitted("ease", data, embedding_size=81)
    histories = data.positives.toarray().astype(float)
    root = np.sqrt(np.maximum(histories.sum(axis=1), 1))[:, None]
    for item in (0, 17):
        others = np.delete(histories, item, axis=1)
        penalised = others.T @ others + 20.0 * np.eye(others.shape[1])
        expected = others @ np.linalg.solve(penalised, others.T @ histories[:, item])
        ours = (factors.user_embeddings @ factors.item_embeddings[item])[:, None] * root
        np.testing.assert_allclose(ours[:, 0], expected, atol=1e-4)


def test_ease_leaves_rare_items_out_of_its_matrix(data: TrainingData) -> None:
    factors = fitted("ease", data, max_items=30)
    counts = np.bincount(data.positives.indices, minlength=data.positives.shape[1])
    chosen = factors.item_embeddings.any(axis=1)
    assert chosen.sum() == 30
    assert counts[chosen].min() >= counts[~chosen].max()
