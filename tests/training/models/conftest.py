"""Data of known structure that every family learns from."""

import pytest

from tests.training.models.battery import World
from tests.training.world import grouped_ratings, make_project
from training.data.dataset import load_dataset
from training.fitting.assembly import Knowledge
from training.models.base import TrainingData


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """User 1 likes nothing."""
    ratings = grouped_ratings()
    ratings.loc[ratings.user_id == 1, "rating"] = 1.0
    project, params = make_project(tmp_path_factory.mktemp("families"), ratings)
    return project, params, load_dataset(project.prepared)


@pytest.fixture(scope="package")
def data(world: World) -> TrainingData:
    return Knowledge(world[2], ("train", "validation"), 1).training_data
