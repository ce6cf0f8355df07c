import numpy as np
import pytest
from scipy import sparse

from app.contract.recommender import Recommender
from app.contract.trends import DAY
from tests.artifacts import make_artifact
from tests.training.models.battery import FamilyBattery
from training.models.aging import aged_popularity, trending
from training.models.base import Factors, TrainingData
from training.models.popularity import HALF_LIVES, Popularity
from training.models.validated_fit import fit_validated


class TestPopularity(FamilyBattery):
    name = "popularity"
    learns_users = False
    learns_to_rank = False


def data(times: list[float] | None) -> TrainingData:
    positives = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 1]], dtype=np.float32))
    nothing = sparse.csr_matrix((3, 0), dtype=np.float32)
    return TrainingData(positives, nothing, 1, positives, None if times is None else np.array(times))


def test_a_positive_counts_half_for_each_half_life_that_it_is_older_than_the_newest() -> None:
    found = aged_popularity(data([0, 1000, 500, 900]), 0.25)
    assert found is not None
    counts, aging = found
    assert aging == (250, 1000)
    np.testing.assert_allclose(counts, [2**-4 + 2**-2, 1, 2**-0.4], rtol=1e-6)
    assert aged_popularity(data([0, 1000, 500, 900]), 0) is aged_popularity(data(None), 0.25) is None


def test_what_is_trending_is_counted_with_every_half_life() -> None:
    found = trending(data([0, 2 * DAY, DAY, 9 * DAY]))
    assert found is not None
    counts, trends = found
    assert trends == ([30 * DAY, 7 * DAY, DAY], 9 * DAY)
    np.testing.assert_allclose(counts[2], [2**-9 + 2**-8, 2**-7, 1], rtol=1e-6)
    assert counts.dtype == np.float32
    assert trending(data(None)) is None


@pytest.mark.parametrize("best", HALF_LIVES)
def test_validation_chooses_the_half_life(best: float) -> None:
    def measure(factors: Factors) -> float:
        return float(factors.half_life == best)

    family = Popularity(half_life=None)
    fit = fit_validated(family, data([0, 1000, 500, 900]), np.random.default_rng(0), measure)
    assert fit.family == Popularity(half_life=best)
    assert fit_validated(family, data(None), np.random.default_rng(0), measure).family == Popularity(half_life=0)


def test_who_is_unknown_gets_what_is_popular_of_late() -> None:
    recommender = Recommender(make_artifact(aged_popularity=np.array([0, 0.5, 3, 1, 3, 0], dtype=np.float32)))
    ranking = recommender.popular(4)
    assert ranking.items.tolist() == [[2, 4, 3, 1]]
    assert ranking.scores.tolist() == [[3, 3, 1, 0.5]]
