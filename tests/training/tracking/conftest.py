"""A real store for every test: SQLite and files in a temporary folder, as the pipeline uses them by default."""

import shutil
from pathlib import Path

import mlflow
import pytest

from tests.training import families
from tests.training.world import make_project
from training.evaluate import evaluate
from training.params.whole import Params
from training.project import Project
from training.refit import refit
from training.tracking.connection import connect
from training.train import train

CANDIDATES = ["test_svd", "popularity"]
REGISTERED = "movie-recommender"


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    families.add_to(monkeypatch)


@pytest.fixture
def registry(tmp_path: Path, empty_store: Path) -> mlflow.MlflowClient:
    """A registry whose model has no version."""
    shutil.copy(empty_store, tmp_path)
    client = connect(tmp_path, "experiment")
    client.create_registered_model(REGISTERED)
    return client


@pytest.fixture
def trained(tmp_path: Path, empty_store: Path) -> tuple[Project, Params]:
    """A project whose candidates are trained, measured and refit."""
    project, params = make_project(tmp_path / "a project", candidates=CANDIDATES)
    shutil.copy(empty_store, project.root)
    run_stages(project, params)
    return project, params


def run_stages(project: Project, params: Params) -> None:
    """All between `prepare` and `register`."""
    for candidate in params.candidates:
        train(project, params, candidate)
        evaluate(project, params, candidate)
    refit(project, params)
