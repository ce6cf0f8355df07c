import shutil
from pathlib import Path

import mlflow
import pytest

from training.tracking import guide
from training.tracking.connection import connect

NAME = "movie-recommender"


@pytest.fixture
def client(tmp_path: Path, empty_store: Path) -> mlflow.MlflowClient:
    shutil.copy(empty_store, tmp_path)
    client = connect(tmp_path, "experiment")
    client.create_registered_model(NAME)
    return client


def test_the_model_s_page_says_which_alias_to_move_and_how_to_go_back(client: mlflow.MlflowClient) -> None:
    guide.explain(client, NAME)
    text = client.get_registered_model(NAME).description
    for part in (
        "type `production`",
        "`python -m training rollback`",
        "* `challenger` is new",
        "* `previous` was live",
    ):
        assert part in text


def test_a_description_by_somebody_stays(client: mlflow.MlflowClient) -> None:
    client.update_registered_model(NAME, "Ask Ann before you promote.")
    guide.explain(client, NAME)
    assert client.get_registered_model(NAME).description == "Ask Ann before you promote."
