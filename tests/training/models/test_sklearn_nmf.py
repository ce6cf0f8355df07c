import numpy as np

from tests.training.models.battery import FamilyBattery
from training.models.base import TrainingData


class TestSklearnNMF(FamilyBattery):
    name = "sklearn_nmf"
    small = {"embedding_size": 8}


def test_scores_approach_the_positives_as_the_library_says(data: TrainingData) -> None:
    factors = TestSklearnNMF.fitted(data)
    error = np.linalg.norm(factors.user_embeddings @ factors.item_embeddings.T - data.positives.toarray())
    _, strengths, _ = np.linalg.svd(data.positives.toarray())
    least = np.sqrt((strengths[8:] ** 2).sum())  # of any product of that rank
    assert least - 1e-3 <= error < least * 1.1
