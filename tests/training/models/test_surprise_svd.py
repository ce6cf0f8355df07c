import numpy as np
import pytest
from surprise import SVD, Trainset

from tests.training.models.battery import FamilyBattery
from training.errors import TrainingError
from training.models.base import TrainingData


class TestSurpriseSVD(FamilyBattery):
    name = "surprise_svd"
    small = {"embedding_size": 8}
    learns_to_rank = False


def test_surprise_scores_are_the_stars_that_the_library_predicts(data: TrainingData) -> None:
    stars, params = data.stars, TestSurpriseSVD.params()
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
    factors, user = TestSurpriseSVD.fitted(data), 3
    ours = factors.item_embeddings @ factors.user_embeddings[user] + factors.item_biases
    ours += factors.user_biases[user] + trainset.global_mean
    predicted = [model.estimate(user, item) for item in range(stars.shape[1])]
    np.testing.assert_allclose(ours, predicted, atol=1e-5)


def test_surprise_needs_stars(data: TrainingData) -> None:
    without = data.stars.copy()
    without.data[:] = np.nan
    with pytest.raises(TrainingError, match="surprise_svd predicts stars and the data has none"):
        TestSurpriseSVD.fitted(TrainingData(data.positives, data.item_features, 1, without))


def test_surprise_learns_from_the_ratings_that_have_stars(data: TrainingData) -> None:
    extra = data.stars.tolil()
    extra[0, int(np.flatnonzero(data.stars[0].toarray()[0] == 0)[0])] = np.nan
    watched = TrainingData(data.positives, data.item_features, 1, extra.tocsr())
    expected, factors = TestSurpriseSVD.fitted(data), TestSurpriseSVD.fitted(watched)
    np.testing.assert_array_equal(factors.item_embeddings, expected.item_embeddings)
