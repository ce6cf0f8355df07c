from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from app.contract.artifact_directory import load_artifact
from app.contract.encoder import Encoder
from app.contract.recommender import Recommender
from tests.artifacts import make_artifact
from tests.training.world import Trained
from training.data.dataset import load_dataset
from training.files import read_json
from training.fitting.newcomers import (
    drawn_to,
    encoded_newcomers,
    features_pay,
    mean_user,
    newcomer_weight,
    newcomers,
)
from training.fitting.validation import Validation
from training.models.base import Factors


def test_newcomers_of_validation_are_those_of_the_service() -> None:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=4).astype(np.float32)
    encoder = rng.normal(size=(6, 4)).astype(np.float32)
    artifact = make_artifact(dim=4, encoder=encoder, mean_user=mean, newcomer_weight=0.5, recency=0.5)
    recommender = Recommender(artifact)
    histories = sparse.csr_matrix(np.array([[1, 0, 0, 0, 0, 0], [1, 0, 1, 1, 0, 0], [0] * 6], dtype=np.float32))
    made = drawn_to(mean, 0.5, *encoded_newcomers(Encoder(encoder, artifact.encoder_intercept, 0.5), histories))
    for vector, history in zip(made, histories, strict=True):
        np.testing.assert_allclose(vector, recommender.fold_in(history.indices), rtol=1e-5)


@pytest.mark.long
def test_validation_prefers_the_mean_user_where_the_encoder_tells_nothing(with_cold_film: Trained) -> None:
    project, params = with_cold_film
    validation = Validation.of(load_dataset(project.prepared), params, "test_svd")
    data = validation.knowledge.training_data
    n_users, n_items = data.positives.shape
    # Everybody likes what is liked in validation; the encoder says the opposite.
    items = np.asarray(validation.targets.relevant.sum(axis=0), dtype=np.float32).T
    encoder = Encoder(np.full((n_items, 1), -0.5, dtype=np.float32), np.zeros(1, dtype=np.float32))
    zeros = np.zeros(n_users, dtype=np.float32)
    factors = Factors(np.ones((n_users, 1), np.float32), items, zeros, np.zeros(n_items, np.float32), encoder)
    assert mean_user(factors).tolist() == [1]
    assert newcomer_weight(validation, factors) > 0
    nothing = Factors(np.zeros((n_users, 1), np.float32), items, zeros, np.zeros(n_items, np.float32))
    assert newcomers(validation, nothing) == (0, 0, 1, 1)
    # Films that are liked share a feature with many that are far from it, so what features say pulls them down.
    features = validation.knowledge.dataset.item_features.toarray()
    feature = features[:, (features * items).sum(axis=0).argmax()] > 0
    items[feature & (items[:, 0] == 0)] = -1000
    _, made = validation.knowledge.said(factors)
    assert not features_pay(validation, factors, made)
    assert features_pay(validation, replace(factors, adds_features=False), made)


@pytest.mark.long
@pytest.mark.parametrize(
    ("metrics", "chosen"),
    [((1, 1), 1), ((1, 0.995), 1), ((1, 0.98), 0)],
)
def test_features_count_only_where_lists_keep_their_metric(
    metrics: tuple[float, float], chosen: float, with_cold_film: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = with_cold_film
    validation = Validation.of(load_dataset(project.prepared), params, "test_svd")
    found = dict(zip((0, 1), metrics, strict=True))
    monkeypatch.setattr(Validation, "measure", lambda _, factors: found[factors.adds_features])
    n_users, n_items = validation.knowledge.training_data.positives.shape
    ones = np.ones((n_users, 1), np.float32), np.ones((n_items, 1), np.float32)
    factors = Factors(*ones, np.zeros(n_users, np.float32), np.zeros(n_items, np.float32))
    assert features_pay(validation, factors, validation.knowledge.said(factors)[1]) == chosen


@pytest.mark.long
def test_the_weight_of_the_train_stage_is_that_of_what_serves(with_cold_film: Trained) -> None:
    project, _ = with_cold_film
    chosen = read_json(project.training("test_svd"), "")["newcomers"]
    for folder in (project.model("test_svd"), project.served):
        artifact = load_artifact(folder)
        assert (artifact.newcomer_weight, artifact.recency) == (chosen["weight"], chosen["recency"])
        assert (artifact.mean_user is not None) == (chosen["weight"] > 0)
