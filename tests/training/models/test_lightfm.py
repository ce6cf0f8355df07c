import lightfm
import numpy as np
import pytest
from scipy import sparse

from tests.training.models.battery import FamilyBattery
from tests.training.world import GROUPS
from training.models import make_family
from training.models.base import Factors, TrainingData
from training.models.encoder import fit_encoder
from training.models.histories import weighted_by_age
from training.models.validated_fit import fit_validated


class TestLightFM(FamilyBattery):
    name = "lightfm"
    small = {
        "epochs": 8, "patience": 2, "embedding_size": 8, "learning_rate": 0.05,
        "init": "random", "encode_users": False, "recency_power": 0.0,
    }  # fmt: skip


def test_lightfm_scores_are_those_of_the_library(data: TrainingData) -> None:
    params, seed = TestLightFM.params(), int(np.random.default_rng(7).integers(2**31))
    model = lightfm.LightFM(
        **{key: params[key] for key in ("loss", "learning_schedule", "learning_rate", "item_alpha", "user_alpha")},
        no_components=params["embedding_size"], max_sampled=params["max_sampled"], random_state=seed,
    )  # fmt: skip
    features = sparse.hstack([sparse.identity(data.positives.shape[1]), data.item_features], format="csr")
    model.fit(data.positives.tocoo(), item_features=features, epochs=params["epochs"], num_threads=1)
    predicted = model.predict(5, np.arange(data.positives.shape[1]), item_features=features)
    factors = TestLightFM.fitted(data)
    ours = factors.item_embeddings @ factors.user_embeddings[5] + factors.item_biases + factors.user_biases[5]
    np.testing.assert_allclose(ours, predicted, atol=1e-5)


def test_lightfm_with_seeds_scores_as_the_mean_of_its_models(data: TrainingData) -> None:
    both = TestLightFM.fitted(data, seeds=2)
    assert both.item_embeddings.shape[1] == 2 * TestLightFM.params()["embedding_size"]
    rng = np.random.default_rng(7)
    models = [make_family("lightfm", TestLightFM.params()).fit(data, rng) for _ in range(2)]
    mean = sum(model.user_embeddings @ model.item_embeddings.T + model.item_biases for model in models) / 2
    np.testing.assert_allclose(both.user_embeddings @ both.item_embeddings.T + both.item_biases, mean, atol=1e-5)


def test_lightfm_started_from_als_knows_the_groups_after_one_epoch(data: TrainingData) -> None:
    # One epoch of so small steps learns nothing by itself.
    changes = {"epochs": 1, "learning_rate": 1e-4, "item_features": False, "als": {"regularization": 1.0}}
    started, random = (TestLightFM.fitted(data, init=init, **changes) for init in ("als", "random"))

    def auc(factors: Factors) -> float:
        own = np.arange(data.positives.shape[1]) % GROUPS == 2
        scores = factors.item_embeddings @ factors.user_embeddings[2] + factors.item_biases
        return float((scores[own][:, None] > scores[~own]).mean())

    assert auc(started) > 0.95
    assert auc(random) < 0.8


def test_encoded_users_are_what_the_encoder_makes_of_their_histories(data: TrainingData) -> None:
    learned = TestLightFM.fitted(data)
    for power in (0.0, 0.5):
        encoded = TestLightFM.fitted(data, encode_users=True, recency_power=power)
        np.testing.assert_array_equal(encoded.item_embeddings, learned.item_embeddings)
        weights, intercept, _ = fit_encoder(data.positives, learned.user_embeddings)
        sizes = np.sqrt(data.positives[5].nnz)
        expected = weighted_by_age(data, power)[5] @ weights / sizes + intercept
        np.testing.assert_allclose(encoded.user_embeddings[5], expected.ravel(), atol=1e-5)
        assert encoded.encoder is not None
        np.testing.assert_array_equal(encoded.encoder.weights, weights)
        assert not encoded.user_embeddings[np.diff(data.positives.indptr) == 0].any()
    assert learned.encoder is None


@pytest.mark.parametrize(("worths", "encode_users"), [([0.5, 0.4], False), ([0.4, 0.5], True)])
def test_validation_chooses_between_learned_and_encoded_users_if_that_is_left_open(
    worths: list[float], encode_users: bool, data: TrainingData
) -> None:
    family = TestLightFM.made(encode_users=None, epochs=1, patience=None)
    values = iter(worths)
    fitted = fit_validated(family, data, np.random.default_rng(7), lambda _: next(values))
    decided = fitted.family.model_dump(mode="json")
    assert (decided["encode_users"], fitted.metric) == (encode_users, 0.5)
    expected = TestLightFM.fitted(data, encode_users=encode_users, epochs=1)
    np.testing.assert_array_equal(fitted.factors.user_embeddings, expected.user_embeddings)
    np.testing.assert_array_equal(
        family.fit(data, np.random.default_rng(7)).user_embeddings, TestLightFM.fitted(data, epochs=1).user_embeddings
    )


@pytest.mark.parametrize(
    ("worths", "size"),
    [({64: 0.1, 32: 0.2, 16: 0.3}, 16), ({64: 0.2, 32: 0.3, 16: 0.3}, 32), ({64: 0.2, 32: 0.1}, 64)],
)
def test_validation_halves_the_size_if_asked_to_and_never_below_16(
    worths: dict[int, float], size: int, data: TrainingData
) -> None:
    family = TestLightFM.made(embedding_size=64, validate_size=True, epochs=1, patience=None)
    rng = np.random.default_rng(7)
    fitted = fit_validated(family, data, rng, lambda factors: worths[factors.item_embeddings.shape[1]])
    decided = fitted.family.model_dump(mode="json")
    assert (decided["embedding_size"], decided["validate_size"]) == (size, False)
    assert fitted.metric == worths[size]
    alone = TestLightFM.fitted(data, embedding_size=size, epochs=1)
    np.testing.assert_array_equal(fitted.factors.item_embeddings, alone.item_embeddings)
