from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from lightfm import LightFM
from scipy import sparse

from training.data.sample.simulation import Simulation, simulate
from training.fetch import CATALOGUE

Scores = npt.NDArray[Any]


@pytest.fixture(scope="module")
def catalogue() -> pd.DataFrame:
    return pd.read_csv(CATALOGUE, keep_default_na=False)


@pytest.fixture(scope="module")
def simulation(catalogue: pd.DataFrame) -> Simulation:
    return simulate(catalogue, 42)


def places(simulation: Simulation) -> pd.DataFrame:
    """Ratings with rows and columns of the truth, and the share of the user's history that has gone by."""
    ratings = simulation.ratings
    order = ratings.groupby("user_id").cumcount()
    return pd.DataFrame(
        {
            "row": pd.Index(simulation.user_ids).get_indexer(pd.Index(ratings["user_id"])),
            "column": pd.Index(simulation.item_ids).get_indexer(pd.Index(ratings["item_id"])),
            "positive": ratings["rating"] >= 4,
            "progress": order / ratings.groupby("user_id")["user_id"].transform("size"),
        }
    )


def flags(frame: pd.DataFrame, simulation: Simulation) -> npt.NDArray[np.bool_]:
    marked = np.zeros(simulation.probability.shape, dtype=bool)
    marked[frame["row"], frame["column"]] = True
    return marked


def ndcg(scores: Scores, relevant: npt.NDArray[np.bool_], seen: npt.NDArray[np.bool_], k: int = 10) -> float:
    """Mean NDCG at k over users with relevant films, written down here anew to depend on nothing."""
    best = np.argsort(np.where(seen, np.inf, -scores), axis=1, kind="stable")[:, :k]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gain = np.take_along_axis(relevant, best, axis=1) @ discounts
    counts = np.minimum(relevant.sum(axis=1), k)
    return float((gain[counts > 0] / np.cumsum(discounts)[counts[counts > 0] - 1]).mean())


@pytest.mark.long
def test_the_same_seed_gives_the_same_and_another_seed_something_else(
    catalogue: pd.DataFrame, simulation: Simulation
) -> None:
    again, other = simulate(catalogue, 42), simulate(catalogue, 43)
    pd.testing.assert_frame_equal(simulation.ratings, again.ratings)
    for name in (field.name for field in fields(Simulation) if field.name != "ratings"):
        np.testing.assert_array_equal(getattr(simulation, name), getattr(again, name))
    assert not simulation.ratings.equals(other.ratings)


@pytest.mark.long
def test_it_is_as_large_and_as_skewed_as_promised(simulation: Simulation) -> None:
    ratings = simulation.ratings
    per_user = ratings["user_id"].value_counts()
    per_film = ratings["item_id"].value_counts()
    assert len(per_user) == 1_500
    assert (per_user.index.min(), per_user.index.max()) == (1, 1_500)
    assert 115_000 < len(ratings) < 125_000
    assert per_user.min() >= 12
    assert per_user.quantile(0.9) > 2.5 * per_user.median()
    assert per_film.head(len(per_film) // 10).sum() > 0.3 * len(ratings)
    assert 0.4 < (ratings["rating"] >= 4).mean() < 0.55


def test_ratings_are_half_stars_in_order_of_time_and_no_film_is_rated_twice(simulation: Simulation) -> None:
    ratings = simulation.ratings
    assert set(ratings["rating"]) == set(np.arange(1, 11) / 2)
    assert ratings["timestamp"].is_monotonic_increasing
    assert not ratings.duplicated(["user_id", "item_id"]).any()


def test_nobody_rates_a_film_before_its_release(catalogue: pd.DataFrame, simulation: Simulation) -> None:
    released = simulation.ratings["item_id"].map(catalogue.set_index("item_id")["year"])
    rated = pd.to_datetime(simulation.ratings["timestamp"], unit="s").dt.year
    assert (released <= rated).all()


def test_new_films_have_no_rating_but_an_appeal(catalogue: pd.DataFrame, simulation: Simulation) -> None:
    new = simulation.item_ids[-round(0.03 * len(catalogue)) :]
    unrated = ~np.isin(simulation.item_ids, simulation.ratings["item_id"])
    assert unrated[np.isin(simulation.item_ids, new)].all()
    assert unrated.sum() >= len(new) + 5
    assert (simulation.probability[:, -len(new) :] == 0).all()
    assert simulation.appeal[:, -len(new) :].std() > 0.1


def test_the_appeal_is_how_often_late_ratings_are_positive(simulation: Simulation) -> None:
    late = places(simulation).query("progress >= 0.8")
    appeal = simulation.appeal[late["row"], late["column"]]
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        bin_ = (appeal >= low) & (appeal < low + 0.2)
        assert late["positive"][bin_].mean() == pytest.approx(appeal[bin_].mean(), abs=0.03)


def test_tastes_drift(simulation: Simulation) -> None:
    rated = places(simulation)
    appeal = simulation.appeal[rated["row"], rated["column"]]
    early, late = rated["progress"] < 0.2, rated["progress"] >= 0.8
    correlation = [np.corrcoef(appeal[part], rated["positive"][part])[0, 1] for part in (early, late)]
    assert correlation[0] < correlation[1] - 0.02


@pytest.mark.long
def test_collaborative_filtering_beats_popularity_and_the_truth_beats_both(simulation: Simulation) -> None:
    rated = places(simulation)
    before = rated["progress"] < 0.8
    seen = flags(rated[before], simulation)
    relevant = flags(rated[~before & rated["positive"]], simulation)
    positives = flags(rated[before & rated["positive"]], simulation)
    model = LightFM(16, loss="warp", random_state=0)
    model.fit(sparse.coo_matrix(positives.astype(np.float32)), epochs=8)
    scores = model.user_embeddings @ model.item_embeddings.T + model.item_biases
    popularity = np.broadcast_to(positives.sum(axis=0), positives.shape)
    popular, learned, best = (ndcg(s, relevant, seen) for s in (popularity, scores, simulation.probability))
    assert learned > 1.6 * popular
    assert best > 1.2 * learned
