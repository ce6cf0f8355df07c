import numpy as np

from tests.training.models.battery import FamilyBattery
from training.models.base import TrainingData
from training.models.histories import weighted_by_age


class TestSklearnSVD(FamilyBattery):
    name = "sklearn_svd"
    small = {"embedding_size": 8}


def test_scores_approach_the_positives_as_the_library_says(data: TrainingData) -> None:
    factors = TestSklearnSVD.fitted(data, recency_power=0.0)
    sizes = np.diff(data.positives.indptr)[:, None]
    scores = factors.user_embeddings * np.sqrt(sizes) @ factors.item_embeddings.T
    error = np.linalg.norm(scores - data.positives.toarray())
    _, strengths, _ = np.linalg.svd(data.positives.toarray())
    least = np.sqrt((strengths[8:] ** 2).sum())  # of any product of that rank
    assert least - 1e-3 <= error < least * 1.005


def test_the_encoder_gives_the_trained_vectors_exactly_and_recency_weighs_a_history(data: TrainingData) -> None:
    plain, lately = (TestSklearnSVD.fitted(data, recency_power=power) for power in (0.0, 0.5))
    assert plain.encoder is not None
    np.testing.assert_array_equal(plain.encoder.weights, plain.item_embeddings)
    sizes = np.sqrt(np.maximum(np.diff(data.positives.indptr), 1))[:, None]
    np.testing.assert_allclose(plain.user_embeddings, data.positives @ plain.encoder.weights / sizes, atol=1e-6)
    weighted = weighted_by_age(data, 0.5) @ plain.encoder.weights / sizes
    np.testing.assert_allclose(lately.user_embeddings, weighted, atol=1e-6)
