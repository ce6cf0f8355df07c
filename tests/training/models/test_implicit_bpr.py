import numpy as np
import pytest
from implicit.cpu.bpr import BayesianPersonalizedRanking
from threadpoolctl import threadpool_limits

from tests.training.models.battery import FamilyBattery
from training.models.base import TrainingData


@pytest.mark.long
class TestImplicitBPR(FamilyBattery):
    name = "implicit_bpr"
    small = {"embedding_size": 8, "epochs": 150, "patience": 50}


def test_bpr_scores_are_those_of_the_library_with_its_item_bias(data: TrainingData) -> None:
    params, seed = TestImplicitBPR.params(), int(np.random.default_rng(7).integers(2**31))
    with threadpool_limits(1):
        model = BayesianPersonalizedRanking(
            params["embedding_size"], params["learning_rate"], params["regularization"],
            iterations=params["epochs"], num_threads=1, random_state=seed,
        )  # fmt: skip
        model.fit(data.positives, show_progress=False)
        items, scores = model.recommend(5, data.positives[5], N=10)
    factors = TestImplicitBPR.fitted(data)
    ours = factors.item_embeddings[items] @ factors.user_embeddings[5] + factors.item_biases[items]
    np.testing.assert_allclose(ours, scores, atol=1e-5)
    assert factors.item_biases.any()
