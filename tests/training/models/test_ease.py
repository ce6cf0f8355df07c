import numpy as np

from tests.training.models.battery import FamilyBattery
from training.models.base import TrainingData


class TestEASE(FamilyBattery):
    name = "ease"
    small = {"embedding_size": 8, "regularization": 20.0}


def test_ease_uncut_scores_as_the_regression_of_each_item_on_all_others(data: TrainingData) -> None:
    factors = TestEASE.fitted(data, embedding_size=81)
    histories = data.positives.toarray().astype(float)
    root = np.sqrt(np.maximum(histories.sum(axis=1), 1))[:, None]
    for item in (0, 17):
        others = np.delete(histories, item, axis=1)
        penalised = others.T @ others + 20.0 * np.eye(others.shape[1])
        expected = others @ np.linalg.solve(penalised, others.T @ histories[:, item])
        ours = (factors.user_embeddings @ factors.item_embeddings[item])[:, None] * root
        np.testing.assert_allclose(ours[:, 0], expected, atol=1e-4)


def test_ease_leaves_rare_items_out_of_its_matrix(data: TrainingData) -> None:
    factors = TestEASE.fitted(data, max_items=30)
    counts = np.bincount(data.positives.indices, minlength=data.positives.shape[1])
    chosen = factors.item_embeddings.any(axis=1)
    assert chosen.sum() == 30
    assert counts[chosen].min() >= counts[~chosen].max()
