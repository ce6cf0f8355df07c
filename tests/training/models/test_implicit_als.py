import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from tests.training.models.battery import FamilyBattery
from training.models.base import TrainingData


class TestImplicitALS(FamilyBattery):
    name = "implicit_als"
    small = {"embedding_size": 8, "regularization": 1.0}


def test_als_scores_are_those_of_the_library(data: TrainingData) -> None:
    params, seed = TestImplicitALS.params(), int(np.random.default_rng(7).integers(2**31))
    with threadpool_limits(1):
        model = AlternatingLeastSquares(
            params["embedding_size"], params["regularization"], params["alpha"],
            iterations=params["epochs"], num_threads=1, random_state=seed,
        )  # fmt: skip
        model.fit(data.positives, show_progress=False)
        items, scores = model.recommend(5, data.positives[5], N=10)
    factors = TestImplicitALS.fitted(data)
    np.testing.assert_allclose(factors.item_embeddings[items] @ factors.user_embeddings[5], scores, atol=1e-6)
