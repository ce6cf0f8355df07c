"""The simulated films and users are as their docstrings say."""

import numpy as np
import pandas as pd
import pytest

from training.data.sample.world import DIMENSIONS, RATINGS, USERS, Films, SimulatedUsers, draw_films, draw_users
from training.fetch import CATALOGUE


@pytest.fixture(scope="module")
def films() -> Films:
    return draw_films(pd.read_csv(CATALOGUE, keep_default_na=False), np.random.default_rng(0))


@pytest.fixture(scope="module")
def users(films: Films) -> SimulatedUsers:
    return draw_users(films, np.random.default_rng(1))


def test_each_dimension_of_films_has_unit_variance_and_mean_0(films: Films) -> None:
    assert films.character.shape[1] == DIMENSIONS
    assert films.character.std(axis=0) == pytest.approx(1, abs=0.1)
    assert films.character.mean(axis=0) == pytest.approx(0, abs=0.1)


def test_preferences_are_of_length_1_and_turn_at_a_right_angle(users: SimulatedUsers) -> None:
    assert np.linalg.norm(users.preference, axis=1) == pytest.approx(1)
    assert np.linalg.norm(users.turn, axis=1) == pytest.approx(1)
    assert (users.preference * users.turn).sum(axis=1) == pytest.approx(0, abs=1e-9)


def test_users_watch_as_much_as_is_promised_and_leave_before_the_end(films: Films, users: SimulatedUsers) -> None:
    assert users.counts.shape[0] == USERS
    assert users.counts.sum() == pytest.approx(RATINGS, rel=0.01)
    end = pd.Timestamp(f"{films.year.max() + 1}-01-01").timestamp()
    assert (users.joined + users.stay <= end).all()
    assert (users.stay > 0).all()
